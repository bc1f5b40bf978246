"""Guesses the sounds of an unknown English word from its letters.

A small recurrent network (GRU encoder and decoder, 256 wide) with the weights of the `g2p_en` project, which Genie
ships too. Knows no dictionary; called by `english_pronunciation.py` when nothing else knows the word. About 2 ms.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivavoce.errors import VoiceUnavailable

_LETTERS = ["<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz"]
_VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_CONSONANTS = (*"BDFGKLMNPRSTVWYZ", "CH", "DH", "HH", "JH", "NG", "SH", "TH", "ZH")
_SOUNDS = ["<pad>", "<unk>", "<s>", "</s>", *sorted([*_CONSONANTS, "UW", *(v + s for v in _VOWELS for s in "012")])]
_BEGIN, _END = 2, 3
_MOST_SOUNDS = 20

_Array = NDArray[np.float32]


class SoundGuesser:
    """Raises VoiceUnavailable if the weights cannot be read."""

    def __init__(self, weights: Path) -> None:
        try:
            with np.load(weights, allow_pickle=False) as file:
                arrays: dict[str, _Array] = {name: np.asarray(file[name], np.float32) for name in file.files}
            self._letters, self._sounds = arrays["enc_emb"], arrays["dec_emb"]  # [29, 256], [74, 256]
            self._encoder = _Cell(arrays, "enc")
            self._decoder = _Cell(arrays, "dec")
            self._out, self._bias = arrays["fc_w"].T, arrays["fc_b"]  # [256, 74], [74]
        except (OSError, ValueError, KeyError) as damage:
            raise VoiceUnavailable(f"'{weights.name}' cannot be read: {damage}") from damage

    def guess(self, word: str) -> list[str]:
        """ARPAbet sounds, 20 at most; letters other than a-z count as unknown."""
        numbers = {letter: number for number, letter in enumerate(_LETTERS)}
        state = np.zeros(self._letters.shape[1], np.float32)
        for letter in [*word.lower(), "</s>"]:
            state = self._encoder.step(self._letters[numbers.get(letter, 1)], state)
        sounds: list[str] = []
        last = _BEGIN
        for _ in range(_MOST_SOUNDS):
            state = self._decoder.step(self._sounds[last], state)
            last = int(np.argmax(state @ self._out + self._bias))
            if last == _END:
                break
            sounds.append(_SOUNDS[last])
        return [sound for sound in sounds if sound[0] != "<" and sound != "UW"]  # a bare UW is not in the voices' table


class _Cell:
    """One gated recurrent unit (Cho et al. 2014), gates in the order reset, update, new."""

    def __init__(self, arrays: dict[str, _Array], side: str) -> None:
        self._from_input, self._from_state = arrays[f"{side}_w_ih"].T, arrays[f"{side}_w_hh"].T  # [256, 768]
        self._input_bias, self._state_bias = arrays[f"{side}_b_ih"], arrays[f"{side}_b_hh"]  # [768]

    def step(self, value: _Array, state: _Array) -> _Array:
        reset_in, update_in, new_in = np.split(value @ self._from_input + self._input_bias, 3)
        reset_st, update_st, new_st = np.split(state @ self._from_state + self._state_bias, 3)
        reset = 1 / (1 + np.exp(-(reset_in + reset_st)))
        update = 1 / (1 + np.exp(-(update_in + update_st)))
        new = np.tanh(new_in + reset * new_st)
        return np.asarray((1 - update) * new + update * state, np.float32)
