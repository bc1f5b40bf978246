"""The books of an utterance add up, whatever became of its sentences."""

from vivavoce.synthesis.costs import Costs, Spent


def test_each_sentence_is_told_once_and_the_total_holds_all() -> None:
    costs = Costs()
    costs.add_stage("open", 0.25)
    costs.add_stage("prompt", 0.5)
    costs.end_sentence(Spent(0.75, 2.0))
    costs.drop_sentence(0.125)
    assert costs.take_new() == [Spent(0.75, 2.0)]
    assert costs.take_new() == []
    costs.add_stage("open", 0.25)
    assert costs.total(0.25, 2.5) == Spent(1.125, 2.5, {"open": 0.5, "prompt": 0.5})
