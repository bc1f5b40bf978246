"""Reads the few pickles that GPT-SoVITS data and published models come in, without unpickling them.

A pickle is a program, and a downloaded one may be anybody's. This reader knows only the operations that build
dictionaries, lists and strings; every other one (import, call, build, extension, persistent id) is refused before it
means anything, so nothing is ever imported or called. Files of tensors need a few names more: the caller then gives
`ObjectRules`, which say what a name stands for; still nothing is imported. It does not know what the data are for.
Source: the opcode descriptions of Python's own `pickletools`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from vivavoce.errors import VoicePackError

MAX_BYTES = 64 * 2**20  # the largest real one has 6 MB

_UINT32 = struct.Struct("<I").unpack_from


class UnsafePickle(VoicePackError):
    """The file is damaged, or does something that plain data do not need."""


class ObjectRules(Protocol):
    """What the names in a pickle stand for."""

    def construct(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """The value of a call; raises `UnsafePickle` for a name that is not known."""
        ...

    def persistent(self, identity: Any) -> Any:
        """What lies outside of the pickle under this identity."""
        ...


@dataclass(frozen=True, slots=True)
class _Name:
    """A name where Python would have imported something."""

    full: str

    def __str__(self) -> str:
        return self.full


def read_plain_pickle(path: Path) -> Any:
    """The dictionaries, lists and strings of a pickle.

    Raises:
        UnsafePickle: If it is damaged, too large, or holds any other operation.
        OSError: If it cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise UnsafePickle(f"{path.name} is larger than {MAX_BYTES // 2**20} MB")
    try:
        return _interpret(path.read_bytes(), None)
    except UnsafePickle as refusal:
        raise UnsafePickle(f"{path.name} is refused: {refusal.message}") from None
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as damage:
        raise UnsafePickle(f"{path.name} is damaged ({type(damage).__name__})") from None


def read_pickle(data: bytes, objects: ObjectRules) -> Any:
    """What a pickle holds, names understood as the rules say.

    Raises:
        UnsafePickle: If it is damaged, or holds an operation or a name that is not known.
    """
    try:
        return _interpret(data, objects)
    except UnsafePickle as refusal:
        raise UnsafePickle(f"the pickle is refused: {refusal.message}") from None
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, struct.error) as damage:
        raise UnsafePickle(f"the pickle is damaged ({type(damage).__name__})") from None


def _interpret(data: bytes, objects: ObjectRules | None) -> Any:
    """Run the operations over a stack, as a pickle machine does, with 15 operations out of about 70.

    The memo is a dictionary, never an array: a pickle that stores at index 4 000 000 000 costs one entry.
    """
    stack: list[Any] = []
    marks: list[int] = []  # heights of the stack
    memo: dict[int, Any] = {}
    at = 0
    while True:
        operation, at = data[at], at + 1
        match operation:
            case 0x8C:  # SHORT_BINUNICODE: length u8, UTF-8
                end = at + 1 + data[at]
                stack.append(_text(data, at + 1, end))
                at = end
            case 0x94:  # MEMOIZE
                memo[len(memo)] = stack[-1]
            case 0x68:  # BINGET: index u8
                stack.append(memo[data[at]])
                at += 1
            case 0x6A:  # LONG_BINGET: index u32
                stack.append(memo[_UINT32(data, at)[0]])
                at += 4
            case 0x28:  # MARK
                marks.append(len(stack))
            case 0x5D:  # EMPTY_LIST
                stack.append([])
            case 0x7D:  # EMPTY_DICT
                stack.append({})
            case 0x61:  # APPEND
                _extend(stack[-2], [stack.pop()])
            case 0x65:  # APPENDS: everything above the mark
                values = _above_mark(stack, marks)
                _extend(stack[-1], values)
            case 0x73:  # SETITEM
                value, key = stack.pop(), stack.pop()
                _update(stack[-1], [key, value])
            case 0x75:  # SETITEMS
                values = _above_mark(stack, marks)
                _update(stack[-1], values)
            case 0x58:  # BINUNICODE: length u32, UTF-8
                end = at + 4 + _UINT32(data, at)[0]
                stack.append(_text(data, at + 4, end))
                at = end
            case 0x71:  # BINPUT: index u8
                memo[data[at]] = stack[-1]
                at += 1
            case 0x72:  # LONG_BINPUT: index u32
                memo[_UINT32(data, at)[0]] = stack[-1]
                at += 4
            case 0x80:  # PROTO: version u8
                if data[at] > 5:
                    raise UnsafePickle(f"protocol {data[at]} is not known")
                at += 1
            case 0x95:  # FRAME: length u64, only a hint
                at += 8
            case 0x2E:  # STOP
                if marks or len(stack) != 1:
                    raise UnsafePickle("it ends in the middle")
                return stack[0]
            case _ if objects is not None and operation in _OBJECT_OPERATIONS:
                at = _run_for_objects(operation, data, at, stack, marks, objects)
            case _:
                raise UnsafePickle(f"operation 0x{operation:02x} at byte {at - 1} is more than plain data need")


# GLOBAL, REDUCE, BUILD, BINPERSID, STACK_GLOBAL, NONE, NEWTRUE, NEWFALSE, BININT, BININT1, BININT2, LONG1,
# EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
_OBJECT_OPERATIONS = frozenset(b"cRbQ\x93N\x88\x89JKM\x8a)\x85\x86\x87t")


def _run_for_objects(
    operation: int, data: bytes, at: int, stack: list[Any], marks: list[int], objects: ObjectRules
) -> int:
    """One of the operations that files of tensors need besides; returns where the next one begins."""
    match operation:
        case 0x63:  # GLOBAL: module, newline, name, newline
            middle = data.index(b"\n", at)
            end = data.index(b"\n", middle + 1)
            stack.append(_Name(f"{data[at:middle].decode()}.{data[middle + 1 : end].decode()}"))
            return end + 1
        case 0x93:  # STACK_GLOBAL
            name, module = stack.pop(), stack.pop()
            stack.append(_Name(f"{module}.{name}"))
        case 0x52:  # REDUCE
            arguments, called = stack.pop(), stack.pop()
            if type(called) is not _Name or type(arguments) is not tuple:
                raise UnsafePickle("it calls something that is not a name")
            stack.append(objects.construct(called.full, arguments))
        case 0x62:  # BUILD: attributes of a dictionary; nobody asks for them
            stack.pop()
            if type(stack[-1]) is not dict:
                raise UnsafePickle("it sets attributes of something that is not a dictionary")
        case 0x51:  # BINPERSID
            stack.append(objects.persistent(stack.pop()))
        case 0x4E:
            stack.append(None)
        case 0x88 | 0x89:
            stack.append(operation == 0x88)
        case 0x4B:  # BININT1: u8
            stack.append(data[at])
            return at + 1
        case 0x4D:  # BININT2: u16
            stack.append(struct.unpack_from("<H", data, at)[0])
            return at + 2
        case 0x4A:  # BININT: i32
            stack.append(struct.unpack_from("<i", data, at)[0])
            return at + 4
        case 0x8A:  # LONG1: length u8
            end = at + 1 + data[at]
            stack.append(int.from_bytes(data[at + 1 : end], "little", signed=True))
            return end
        case 0x29:
            stack.append(())
        case 0x85 | 0x86 | 0x87:  # TUPLE1, TUPLE2, TUPLE3
            size = operation - 0x84
            values = stack[-size:]
            del stack[-size:]
            stack.append(tuple(values))
        case 0x74:  # TUPLE: everything above the mark
            stack.append(tuple(_above_mark(stack, marks)))
    return at


def _text(data: bytes, start: int, end: int) -> str:
    if end > len(data):
        raise UnsafePickle("it ends in the middle")
    return data[start:end].decode("utf-8")


def _above_mark(stack: list[Any], marks: list[int]) -> list[Any]:
    height = marks.pop()
    if height > len(stack):
        raise UnsafePickle("a mark stands above the stack")
    values = stack[height:]
    del stack[height:]
    return values


def _extend(target: Any, values: list[Any]) -> None:
    if type(target) is not list:
        raise UnsafePickle("it appends to something that is not a list")
    target.extend(values)


def _update(target: Any, values: list[Any]) -> None:
    if type(target) is not dict or len(values) % 2:
        raise UnsafePickle("it sets items of something that is not a dictionary")
    target.update(zip(values[::2], values[1::2], strict=True))
