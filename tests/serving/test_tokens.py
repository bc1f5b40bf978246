"""A token is good for one use, for a while."""

from __future__ import annotations

from vivavoce.serving.tokens import TOKEN, TokenStore


def test_a_token_is_redeemed_once() -> None:
    store = TokenStore()
    token = store.issue("owner", now=0.0)
    assert token.startswith(TOKEN)
    assert store.redeem(token, now=1.0) == "owner"
    assert store.redeem(token, now=1.0) is None


def test_a_token_grows_old() -> None:
    store = TokenStore(lifetime_s=60)
    young, old = store.issue("a", now=30.0), store.issue("b", now=0.0)
    assert store.redeem(young, now=80.0) == "a"
    assert store.redeem(old, now=80.0) is None


def test_a_guess_is_worth_nothing() -> None:
    store = TokenStore()
    store.issue("owner", now=0.0)
    for guess in ("", TOKEN, TOKEN + "x" * 32, "\ud800"):
        assert store.redeem(guess, now=0.0) is None


def test_tokens_differ_and_their_number_is_bounded() -> None:
    store = TokenStore(capacity=3)
    issued = [store.issue(str(k), now=0.0) for k in range(5)]
    assert len(set(issued)) == 5
    assert [store.redeem(token, now=0.0) for token in issued] == [None, None, "2", "3", "4"]
