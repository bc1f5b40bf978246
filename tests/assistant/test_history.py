"""A conversation as a value, and what the chat model is shown of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.assistant.chat_model import ChatMessage, FunctionCall
from vivavoce.assistant.history import INTERRUPTED, Entry, History


def user(text: str, id: str = "u") -> Entry:
    return Entry(id=id, role="user", text=text)


def answer(text: str, id: str = "a", **more: Any) -> Entry:
    return Entry(id=id, role="assistant", text=text, **more)


CALL = FunctionCall("c1", "set_timer", '{"minutes":5}')


def test_turns_become_messages() -> None:
    history = History().with_entry(user("Hello?")).with_entry(answer("Hello!"))
    assert history.messages("Be kind.") == [
        ChatMessage("system", "Be kind."),
        ChatMessage("user", "Hello?"),
        ChatMessage("assistant", "Hello!"),
    ]
    assert History().messages() == []


def test_an_interrupted_answer_is_shown_as_far_as_it_was_heard() -> None:
    history = History((user("Tell me a story."), answer("Once upon a time, there was a king.")))
    cut = history.with_heard("a", "Once upon a time, ")
    assert cut.messages()[-1].text == "Once upon a time," + INTERRUPTED
    assert history.messages()[-1].text.endswith("king.")  # the old value is as it was


def test_an_answer_that_nobody_heard_was_not_said() -> None:
    history = History((user("Hello?"), answer("Hello!"), user("Wait.", "u2"))).with_heard("a", "")
    assert [message.text for message in history.messages()] == ["Hello?", "Wait."]


def test_hearing_never_grows_and_all_of_it_is_no_interruption() -> None:
    history = History((answer("One two three."),))
    assert history.with_heard("a", "One two three.") == history
    cut = history.with_heard("a", "One")
    assert cut.with_heard("a", "One two") == cut
    assert cut.with_heard("a", "One two three.") == cut
    assert cut.with_heard("a", "").entries[0].heard == ""
    assert history.with_heard("a", "Something else") == history
    assert history.with_heard("nowhere", "One") == history


def test_calls_belong_to_the_message_before_them() -> None:
    history = History(
        (
            user("A timer, please."),
            answer("One moment."),
            Entry(id="k", role="call", call=CALL),
            Entry(id="r", role="function", text="done", call_id="c1"),
        )
    )
    assert history.messages()[1:] == [
        ChatMessage("assistant", "One moment.", (CALL,)),
        ChatMessage("function", "done", call_id="c1"),
    ]
    silent = history.without("a")
    assert silent.messages()[1] == ChatMessage("assistant", "", (CALL,))


def test_a_call_without_its_result_is_not_shown_nor_the_other_way_round() -> None:
    call, result = Entry(id="k", role="call", call=CALL), Entry(id="r", role="function", text="done", call_id="c1")
    assert History((user("x"), call)).messages() == [ChatMessage("user", "x")]
    assert History((result, user("x"))).messages() == [ChatMessage("user", "x")]
    assert History((user("x"), call, user("y"), result)).messages() == [
        ChatMessage("user", "x"),
        ChatMessage("assistant", "", (CALL,)),
        ChatMessage("function", "done", call_id="c1"),
        ChatMessage("user", "y"),
    ]


def test_old_turns_are_left_out_when_there_is_no_room() -> None:
    history = History(tuple(user(f"{n} " + "x" * 98, str(n)) for n in range(100)))
    messages = history.messages("Be kind.", most_characters=1000)
    assert messages[0].text == "Be kind."
    assert [message.text[:2] for message in messages[1:]] == [str(n) for n in range(91, 100)]
    assert len(History((user("x" * 9999),)).messages("", most_characters=10)) == 1  # the last word is always shown


ENTRIES = st.lists(
    st.one_of(
        st.builds(user, st.text(max_size=30)),
        st.builds(answer, st.text(max_size=30)),
        st.builds(Entry, id=st.just("k"), role=st.just("call"), call=st.just(CALL)),
        st.builds(Entry, id=st.just("r"), role=st.just("function"), text=st.text(max_size=9), call_id=st.just("c1")),
    ),
    max_size=20,
)


@given(ENTRIES, st.integers(0, 200))
def test_every_call_is_followed_by_its_result(entries: list[Entry], room: int) -> None:
    waiting: list[str] = []
    for message in History(tuple(entries)).messages("s", room):
        if message.role == "function":
            assert message.call_id == waiting.pop(0)
        else:
            assert not waiting
            waiting = [call.call_id for call in message.calls]
    assert not waiting
