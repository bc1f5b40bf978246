"""What connections may cost the event loop, in seconds of work and of a clock that the test moves."""

from __future__ import annotations

import pytest

from vivavoce.serving.work_budget import (
    FORGIVEN_AFTER_S,
    IN_DEBT_SHARE,
    MAX_REMEMBERED,
    REMEMBERED_S,
    TRIAL_S,
    Pot,
    WorkBudget,
)

PIECE_S = 0.001  # of work, between two looks at the budget


def test_a_budget_comes_back_with_time() -> None:
    budget = WorkBudget(0.1, 0.2, Pot(0.0, 0.0))
    assert budget.spend(0.2, 0.0) == 0.0
    assert budget.spend(0.0, 1.0) == 0.0
    assert budget.spend(0.1, 1.0) == 0.0
    assert budget.spend(0.2, 100.0) == 0.0, "no more than the burst is saved"
    assert budget.spend(0.1, 100.0) > 0


def test_the_pot_is_shared_and_bounded() -> None:
    pot = Pot(0.2, 0.3)
    one, other = WorkBudget(0.05, 0.1, pot), WorkBudget(0.05, 0.1, pot)
    assert one.spend(0.4, 0.0) == 0.0, "its own tenth and all of the pot"
    assert other.spend(0.1, 0.0) == 0.0, "everybody has a little of their own"
    assert other.spend(0.05, 0.0) == pytest.approx(0.05 / IN_DEBT_SHARE)


@pytest.mark.parametrize("connections", [1, 3, 40])
def test_all_that_flood_cost_one_small_share_together(connections: int) -> None:
    """However many there are: what each brings along is a burst, and no more."""
    pot = Pot(0.1, 0.2)
    budgets = [WorkBudget(0.05, 0.1, pot) for _ in range(connections)]
    assert flooded(budgets, 0.0, 60.0) <= 0.2 + connections * (0.1 + PIECE_S) + 1.1 * 60.0 * IN_DEBT_SHARE
    assert flooded(budgets, 60.0, 120.0) <= 1.1 * 60.0 * IN_DEBT_SHARE + connections * PIECE_S


def test_coming_back_brings_nothing_new() -> None:
    pot = Pot(0.1, 0.2)
    work_s = 0.0
    for second in range(60):
        now_s = float(second)
        budget = WorkBudget(0.05, 0.1, pot, address="10.0.0.7", opening_s=0.004, now_s=now_s)
        work_s += flooded([budget], now_s + budget.opening_wait_s, now_s + 1.0)
        budget.close(now_s + 1.0)
    assert work_s <= 0.2 + 0.1 + 1.1 * 60.0 * IN_DEBT_SHARE


def test_who_behaves_is_not_held_up_by_those_who_do_not() -> None:
    pot = Pot(0.1, 0.2)
    budgets = [WorkBudget(0.05, 0.1, pot) for _ in range(5)]
    honest = WorkBudget(0.05, 0.1, pot, address="10.0.0.8")
    flooded(budgets, 0.0, 10.0)
    for tick in range(100):
        assert honest.spend(0.003, 10.0 + tick * 0.1) == 0.0, "3 % of the time"
        flooded(budgets, 10.0 + tick * 0.1, 10.1 + tick * 0.1)
    assert not honest.is_in_debt


def test_a_debt_is_forgiven() -> None:
    pot = Pot(0.0, 0.0)
    budget = WorkBudget(0.05, 0.1, pot, address="10.0.0.9")
    wait_s = budget.spend(0.2, 0.0)
    assert budget.is_in_debt
    budget.spend(0.0, wait_s + 0.01)
    assert budget.is_in_debt, "paid, and not yet trusted"
    budget.spend(0.0, wait_s + 2 * FORGIVEN_AFTER_S)
    assert not budget.is_in_debt
    budget.close(100.0)
    assert not pot.suspects("10.0.0.9", 100.0)


def test_who_talks_from_where_many_flood_is_heard() -> None:
    """As behind a proxy, where all have one address."""
    pot = Pot(0.1, 0.2)
    floods = [WorkBudget(0.05, 0.1, pot, address="10.0.0.1") for _ in range(20)]
    flooded(floods, 0.0, 10.0)
    floods.pop().close(10.0)
    honest = WorkBudget(0.05, 0.1, pot, address="10.0.0.1", opening_s=0.004, now_s=10.0)
    assert honest.opening_wait_s > 0
    for tick in range(500):
        assert honest.spend(0.000_4, 11.0 + tick * 0.02) == 0.0, "20 ms of sound, 2 % of the time"


def test_on_trial_nothing_comes_out_of_the_pot() -> None:
    pot = Pot(0.1, 0.2)
    gone = WorkBudget(0.05, 0.1, pot, address="10.0.0.1")
    gone.spend(1.0, 0.0)
    gone.close(0.0)
    again = WorkBudget(0.05, 0.1, pot, address="10.0.0.1", now_s=20.0)
    assert again.spend(TRIAL_S, 20.0) == 0.0
    assert again.spend(0.001, 20.0) > 0
    quiet = WorkBudget(0.05, 0.1, pot, address="10.0.0.1", now_s=20.0)
    quiet.spend(0.0, 29.0)
    assert quiet.spend(0.3, 29.0) == 0.0, "trusted again: its own and the pot"


def test_an_address_is_suspect_for_a_while() -> None:
    pot = Pot(0.0, 0.0)
    budget = WorkBudget(0.05, 0.1, pot, address="10.0.0.9")
    budget.spend(1.0, 0.0)
    budget.close(1.0)
    budget.close(1.0)
    assert WorkBudget(0.05, 0.1, pot, address="10.0.0.9", opening_s=0.004, now_s=2.0).opening_wait_s > 0
    assert WorkBudget(0.05, 0.1, pot, address="10.0.0.8", opening_s=0.004, now_s=2.0).opening_wait_s == 0
    assert not pot.suspects("10.0.0.9", 1.0 + REMEMBERED_S)


def test_the_memory_of_addresses_is_bounded() -> None:
    pot = Pot(0.0, 0.0)
    for number in range(MAX_REMEMBERED + 1):
        budget = WorkBudget(0.05, 0.0, pot, address=str(number))
        budget.spend(1.0, 0.0)
        budget.close(0.0)
    assert not pot.suspects("0", 0.0)
    assert pot.suspects("1", 0.0)
    assert pot.suspects(str(MAX_REMEMBERED), 0.0)


def flooded(budgets: list[WorkBudget], since_s: float, until_s: float) -> float:
    """Seconds of work that connections get done which always have more of it."""
    work_s = 0.0
    ready_s = [since_s] * len(budgets)
    while (now_s := min(ready_s)) < until_s:
        who = ready_s.index(now_s)
        wait_s = budgets[who].spend(PIECE_S, now_s)
        work_s += PIECE_S
        ready_s[who] = now_s + wait_s + PIECE_S / 100
    return work_s
