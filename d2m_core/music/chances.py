"""From logits to tokens in machine code: numpy sorts between `rank` and `settle`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .scalars import exponential

_F0, _F1 = np.float32(0), np.float32(1)

_INDEX = 0xFFFFFFFF
"""The lower half of a key: which token it is of; the upper half falls as the token's logit rises."""


class Dice(NamedTuple):
    """What is drawn from: a row for each candidate and codebook, R = C K of them; and how."""

    values: np.ndarray
    """float32 [R, V]: guided logits."""
    keys: np.ndarray
    """int64 [R, V]: they rise as the values fall; sorted when it comes to `settle`."""
    chances: np.ndarray
    """float32 [V]: room."""
    guidance: np.ndarray
    """float32 [3]: classifier-free guidance (1 is none), that of the style (0 is none), what is added to
    tokens that are leant on."""
    taste: np.ndarray
    """float32 [2]: temperature (0 takes the likeliest) and top p."""


def rank(logits: np.ndarray, near: np.ndarray, dice: Dice, column: int) -> None:
    """Guided logits of [sides C, >= K V] in `Dice.values`, and their keys.

    Sides are as `windows.guidance_sides` has them; `near` is that of `kernel.Page`.
    """
    values, keys = dice.values, dice.keys
    rows, tokens = values.shape
    books = len(near)
    takes = rows // books
    last = len(logits) - takes
    by, style_by, pull = dice.guidance
    bits: np.ndarray = values.view(np.int32)
    for row in range(rows):
        take, first = row // books, row % books * tokens
        asked, free, any_style = logits[take], logits[take], logits[last + take]
        if by != _F1:
            free = logits[takes + take]
        for token in range(tokens):
            at = first + token
            guided = free[at] + by * (asked[at] - free[at])
            values[row, token] = guided + style_by * (asked[at] - any_style[at])
        leant = near[row % books, column]
        if leant >= 0:
            values[row, leant] += pull
        for token in range(tokens):
            order = np.int64(bits[row, token])
            if order < 0:
                order ^= 0x7FFFFFFF
            keys[row, token] = -order * (_INDEX + 1) + token


def pick(dice: Dice, row: int, numbers: np.ndarray, even: bool) -> int:
    """One token of a row, drawn as `torch.multinomial` does it, from as many of the sorted keys as there are
    `numbers` float64: distributed evenly in 0..1 or exponentially, by which torch divides."""
    values, keys, chances = dice.values[row], dice.keys[row], dice.chances
    warmth, most = dice.taste
    keep = len(numbers)
    first = values[keys[0] & _INDEX]
    if warmth == _F0:
        return keys[0] & _INDEX
    for place in range(keep):
        chances[place] = (values[keys[place] & _INDEX] - first) / warmth
    total = _F0
    for place in range(keep):
        chances[place] = exponential(chances[place])
        total += chances[place]
    before, best, found = _F0, -_F1, 0
    for place in range(keep):
        if before >= most and most < _F1:
            break
        chance = chances[place] / total
        before += chance
        number = np.float32(numbers[place])
        if even:
            if chance < best * number * _SHORT:  # an exponential number is larger than the even one
                continue
            number = np.float32(-math.log1p(-numbers[place]))
        if chance / number > best:
            best, found = chance / number, place
    return keys[found] & _INDEX


_SHORT = np.float32(1 - 1e-6)
"""Room for rounding."""
