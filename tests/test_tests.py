"""What tests do not do: know the private names of others, assert how long something took, let time pass.

Such a test fails when something else is changed, or when the machine is busy.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent
TESTS = {
    path.relative_to(ROOT).as_posix(): path
    for path in ROOT.rglob("*.py")
    if "node_modules" not in path.parts  # other people's, of the clients' environments
}

# Private names of other people's libraries, where there is no public one, and what only looks private.
FOREIGN = {
    "chattts/test_chattts_networks.py": {"_decode_to_wavs"},  # what the package decodes, and how often
    "decoders.py": {"_ffi", "_snd", "_file"},  # the calls of libsndfile that soundfile does not pass on
    "hosted_clients/test_xinference.py": {"_get_supervisor_internal_address", "_headers"},  # the client's whole surface
    "routes/test_realtime_faults.py": {"_connection"},  # a socket of openai-python that is cut without a farewell
    "speaking/test_live_speech.py": {"_recv"},  # packets are lost inside aiortc's transport
    "transports/webrtc/test_microphone.py": {"_handle_rtp_packet"},  # likewise
    "models/test_power_cuts.py": {"_exit"},  # of os, documented
    "power_cuts.py": {"_exit"},
    "voices/test_power_cuts.py": {"_exit"},
    "voices/test_pull.py": {"_replace"},  # of a named tuple, documented
    "whisper_original.py": {"_metadata"},  # what torch writes into its files
}


CLOCKS = {"time", "monotonic", "perf_counter", "process_time"}
TIMED = {"cluster/test_cluster.py", "ray_cluster.py"}  # they measure, on a machine of their own

# Where a test lets real time pass, in seconds: everything else waits for a condition, looked at this often or oftener.
GLANCE_S = 0.05
PAUSES = {
    "adapters/test_fastrtc_conversation.py": {0.5},  # until half a second of sound is silence
    "cluster/test_ears.py": {0.1},  # until a new Ear hears
    "ray_cluster.py": {0.1},  # until replicas are there: each look is work for what starts them
    "realtime_clients/server_process.py": {0.2},  # until a process answers
    "routes/test_realtime_listening.py": {0.3, 0.5, 1.5},  # so much of an answer is heard, at the speed of sound
    "routes/test_transcriptions.py": {0.3},  # a step that is too long
    "space/test_space_page.py": {0.1},  # until a process answers
    "space/test_space_starts.py": {0.1},
}


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def made_here(tree: ast.Module) -> set[str]:
    """Names that a module defines itself: its functions, classes, variables and its objects' attributes."""
    made = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                made.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                made.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                made.add(name)
    return made


def others_privates(source: str) -> Iterator[str]:
    """Private names of other modules that a test reads, sets or replaces."""
    tree = ast.parse(source)
    made = made_here(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=name) if private(name):
                if name not in made and not (isinstance(value, ast.Name) and value.id in ("self", "cls")):
                    yield name
            case ast.ImportFrom(names=names):
                yield from (alias.name for alias in names if private(alias.name))
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr"), args=[first, *more]):
                for argument in (first, *more[:1]):
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield from (part for part in argument.value.split(".") if private(part) and part not in made)


def test_tests_know_no_private_names_of_others() -> None:
    found = {name: set(others_privates(path.read_text(encoding="utf-8"))) for name, path in TESTS.items()}
    assert not {name: rest for name, names in found.items() if (rest := names - FOREIGN.get(name, set()))}


def test_private_names_are_found_in_every_way_they_are_reached() -> None:
    assert list(others_privates("worker._steps")) == ["_steps"]
    assert list(others_privates("from vivavoce.machine.worker import _Step")) == ["_Step"]
    assert list(others_privates('monkeypatch.setattr(placing, "_flush", print)')) == ["_flush"]
    assert list(others_privates('monkeypatch.setattr("vivavoce.hub._get", print)')) == ["_get"]
    assert not list(others_privates("class A:\n  def f(self): self._x = 1\nA()._x; A().__dict__; self._y"))


def reads_clock(node: ast.AST) -> bool:
    """Is it a call like `time.monotonic()`, or a sum or difference of some?"""
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[]):
            return name in CLOCKS
        case ast.BinOp(left=left, right=right):
            return reads_clock(left) or reads_clock(right)
        case _:
            return False


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def timed_assertions(source: str) -> list[int]:
    """Lines that hold the time something took against a number: they fail on a machine that is busy."""
    found = set()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        inside = list(ast.walk(function))
        read = [node.targets[0] for node in inside if isinstance(node, ast.Assign) and reads_clock(node.value)]
        names = {target.id for target in read if isinstance(target, ast.Name)}
        for node in inside:
            if not (isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare)):
                continue
            sides = [node.test.left, *node.test.comparators]
            within = {name.id for side in sides for name in ast.walk(side) if isinstance(name, ast.Name)}
            if any(map(is_number, sides)) and (any(map(reads_clock, sides)) or names & within):
                found.add(node.lineno)
    return sorted(found)


def pauses(source: str) -> set[float]:
    """Seconds that a test sleeps, where they are a number and more than a glance."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, int | float)
        and node.args[0].value > GLANCE_S
    }


def test_tests_assert_no_times() -> None:
    found = {name for name, path in TESTS.items() if timed_assertions(path.read_text(encoding="utf-8"))}
    assert found <= TIMED


def test_tests_wait_for_conditions() -> None:
    found = {name: pauses(path.read_text(encoding="utf-8")) for name, path in TESTS.items()}
    assert not {name: rest for name, seconds in found.items() if (rest := seconds - PAUSES.get(name, set()))}


def test_times_and_pauses_are_found() -> None:
    assert timed_assertions("def f():\n  a = time.monotonic()\n  g()\n  assert time.monotonic() - a < 5") == [4]
    assert timed_assertions("def f():\n  a = loop.time() - b\n  assert a < 0.2") == [3]
    assert not timed_assertions("def f():\n  end = time.monotonic() + 5\n  assert time.monotonic() < end")
    assert pauses("await asyncio.sleep(0.2); time.sleep(1); time.sleep(0.01); time.sleep(step_s)") == {0.2, 1}
