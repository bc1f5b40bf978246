"""Reads the few pickles GPT-SoVITS data comes in, without unpickling them.

A pickle is a program, and a downloaded one may be anybody's. This reader knows only the operations that build
dictionaries, lists and strings; every other one (import, call, build, extension, persistent id) is refused before it
means anything, so nothing is ever imported or called. It does not know what the data are for; `genie_data.py` calls
it. Source: the opcode descriptions of Python's own `pickletools`.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from vivavoce.errors import VoicePackError

MAX_BYTES = 64 * 2**20  # the largest real one has 6 MB

_UINT32 = struct.Struct("<I").unpack_from


class UnsafePickle(VoicePackError):
    """The file is damaged, or does something that plain data do not need."""


def read_plain_pickle(path: Path) -> Any:
    """The dictionaries, lists and strings of a pickle.

    Raises:
        UnsafePickle: If it is damaged, too large, or holds any other operation.
        OSError: If it cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise UnsafePickle(f"{path.name} is larger than {MAX_BYTES // 2**20} MB")
    try:
        return _interpret(path.read_bytes())
    except UnsafePickle as refusal:
        raise UnsafePickle(f"{path.name} is refused: {refusal.message}") from None
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as damage:
        raise UnsafePickle(f"{path.name} is damaged ({type(damage).__name__})") from None


def _interpret(data: bytes) -> Any:
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
            case _:
                raise UnsafePickle(f"operation 0x{operation:02x} at byte {at - 1} is more than plain data need")


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
