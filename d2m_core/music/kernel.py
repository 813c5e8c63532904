"""One column of the decoder as plain loops over arrays, which numba compiles for this machine.

A step multiplies every weight with one vector. Torch takes two to ten times as long for that as it takes
to read the weights, and its calls alone take longer than a small network's products. Here a step is one
call, weights that were stored as float16 are read as such (half the bytes, the same numbers), and every
tile of them (`tiles.py`) is multiplied with up to four entries of the batch.

What stands here is plain Python too, and slow; `machine.py` compiles it when music is first written.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .chances import Dice, pick, rank
from .scalars import exponential, gelu, value
from .tiles import product

NORM_EPSILON = np.float32(1e-5)
"""As in `torch.nn.LayerNorm`."""

_F0, _F1 = np.float32(0), np.float32(1)


class Weights(NamedTuple):
    """All that a step multiplies by, float32 or float16 (as uint16); matrices in tiles."""

    tokens_in: np.ndarray
    """[K, V + 2, dim]."""
    norms: np.ndarray
    """float32 [layers, 6, dim]: weight and bias of the norms before attention, cross-attention, ffn."""
    qkv: np.ndarray
    """[layers, blocks, dim, width], as `tiles.in_tiles` lays matrices out; so all that follow."""
    out: np.ndarray
    query: np.ndarray
    cross_out: np.ndarray
    gate: np.ndarray
    """float32 [layers, dim]: what cross-attention is multiplied by."""
    ffn_in: np.ndarray
    ffn_out: np.ndarray
    last_norm: np.ndarray
    """float32 [2, dim]."""
    heads: np.ndarray
    """Of K V outputs."""
    seen: np.ndarray
    """Of L dim inputs: how copied tokens are seen; no blocks where the model does not look back."""
    gates: np.ndarray
    """Of L K outputs."""
    gates_bias: np.ndarray
    """float32 [L K]."""


class State(NamedTuple):
    """What some entries of the batch remember, and room to compute in, as wide as tiles fill; float32."""

    side: np.ndarray
    """int64 [B]: whose conditions each entry has."""
    own: np.ndarray
    """[layers, 2, B, H, dim / H, S]: keys and values so far, steps last."""
    cross: np.ndarray
    """[layers, 2, sides, H, dim / H, M]."""
    added: np.ndarray
    """[sides, S, dim]."""
    told: np.ndarray
    """[layers, U, 6, dim]; no layers where nothing is told."""
    told_at: np.ndarray
    """int64 [sides, S]: which of `told` each column is told."""
    x: np.ndarray
    """[B, dim]."""
    normed: np.ndarray
    """[B, dim]."""
    mixed: np.ndarray
    """[B, dim]."""
    more: np.ndarray
    """[B, >= dim]: what is added to `x`."""
    wide: np.ndarray
    """[B, >= 3 dim]."""
    hidden: np.ndarray
    """[B, >= ffn]."""
    found: np.ndarray
    """[B, L dim]."""
    raised: np.ndarray
    """[B, >= L K]."""
    logits: np.ndarray
    """[B, >= K V]."""
    scores: np.ndarray
    """[longest]."""


class Page(NamedTuple):
    """What some candidates of a window have written, int64; entries are sides times candidates."""

    delayed: np.ndarray
    """[C, K, S]: columns in the delay pattern."""
    unknown: np.ndarray
    """bool [K, S]: what is to be drawn."""
    said: np.ndarray
    """[C, K, all steps + 1]: tokens before and in the window, below 0 where there is none."""
    at: np.ndarray
    """[L, K, S]: where in `said` the columns look back to; L is 0 where the model does not."""
    near: np.ndarray
    """[K, S]: tokens that are leant on, below 0 where none is."""


# --- parts of a layer ---


def norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, y: np.ndarray) -> None:
    """Layer norm of one entry [dim] into `y`."""
    size = len(x)
    total = _F0
    for i in range(size):
        total += x[i]
    mean = total / np.float32(size)
    total = _F0
    for i in range(size):
        total += (x[i] - mean) * (x[i] - mean)
    scale = _F1 / np.sqrt(total / np.float32(size) + NORM_EPSILON)
    for i in range(size):
        y[i] = (x[i] - mean) * scale * weight[i] + bias[i]


def normed(weights: Weights, state: State, layer: int, which: int, position: int) -> None:
    """The layer's first, second or third norm of `State.x`, told of the place, in `State.normed`."""
    norms = weights.norms[layer]
    for entry in range(len(state.x)):
        y = state.normed[entry]
        norm(state.x[entry], norms[2 * which], norms[2 * which + 1], y)
        if len(state.told):
            told = state.told[layer, state.told_at[state.side[entry], position]]
            scale, shift = told[2 * which], told[2 * which + 1]
            for i in range(len(y)):
                y[i] = shift[i] + y[i] * (_F1 + scale[i])


def attend(
    query: np.ndarray, keys: np.ndarray, values: np.ndarray, count: int, scores: np.ndarray, y: np.ndarray
) -> None:
    """Attention of a query [size] to the first `count` of keys and values [size, steps], into `y`.

    Four rows at a time, so that scores are read and written a quarter as often.
    """
    size = len(query)
    fours = size // 4 * 4
    factor = np.float32(1.0 / math.sqrt(size))
    for s in range(count):
        scores[s] = _F0
    for d in range(0, fours, 4):
        q0, q1, q2, q3 = (
            query[d] * factor,
            query[d + 1] * factor,
            query[d + 2] * factor,
            query[d + 3] * factor,
        )
        r0, r1, r2, r3 = keys[d], keys[d + 1], keys[d + 2], keys[d + 3]
        for s in range(count):
            scores[s] += q0 * r0[s] + q1 * r1[s] + q2 * r2[s] + q3 * r3[s]
    for d in range(fours, size):
        q0, r0 = query[d] * factor, keys[d]
        for s in range(count):
            scores[s] += q0 * r0[s]
    most = scores[0]
    for s in range(1, count):
        most = max(most, scores[s])
    total = _F0
    for s in range(count):
        e = exponential(scores[s] - most)
        scores[s] = e
        total += e
    for d in range(0, fours, 4):
        r0, r1, r2, r3 = values[d], values[d + 1], values[d + 2], values[d + 3]
        s0, s1, s2, s3 = _F0, _F0, _F0, _F0
        for s in range(count):
            e = scores[s]
            s0 += e * r0[s]
            s1 += e * r1[s]
            s2 += e * r2[s]
            s3 += e * r3[s]
        y[d], y[d + 1], y[d + 2], y[d + 3] = s0 / total, s1 / total, s2 / total, s3 / total
    for d in range(fours, size):
        r0, s0 = values[d], _F0
        for s in range(count):
            s0 += scores[s] * r0[s]
        y[d] = s0 / total


def attend_own(state: State, layer: int, position: int) -> None:
    """Keeps keys and values of `State.wide`, and attends to all so far; the heads' answers in `mixed`."""
    batch, dim = state.x.shape
    heads, size = state.own.shape[3], state.own.shape[4]
    for entry in range(batch):
        wide = state.wide[entry]
        for head in range(heads):
            at = head * size
            keys, values = state.own[layer, 0, entry, head], state.own[layer, 1, entry, head]
            for d in range(size):
                keys[d, position] = wide[dim + at + d]
                values[d, position] = wide[2 * dim + at + d]
            y = state.mixed[entry, at : at + size]
            attend(wide[at : at + size], keys, values, position + 1, state.scores, y)


def attend_cross(state: State, layer: int) -> None:
    """Attention of the queries in `State.wide` to the encoder, into `mixed`."""
    batch = len(state.x)
    heads, size, count = state.cross.shape[3:]
    for entry in range(batch):
        side = state.side[entry]
        for head in range(heads):
            at = head * size
            keys, values = state.cross[layer, 0, side, head], state.cross[layer, 1, side, head]
            y = state.mixed[entry, at : at + size]
            attend(state.wide[entry, at : at + size], keys, values, count, state.scores, y)


def read_tokens(weights: Weights, state: State, page: Page, column: int) -> None:
    """What stands at `column`, the tokens before it and what copied tokens say, added up in `State.x`."""
    batch, dim = state.x.shape
    takes, books = page.delayed.shape[:2]
    for entry in range(batch):
        x, added = state.x[entry], state.added[state.side[entry], column]
        for i in range(dim):
            x[i] = added[i]
        for book in range(books):
            row = weights.tokens_in[book, page.delayed[entry % takes, book, column - 1]]
            for i in range(dim):
                x[i] += value(row[i])
    if not len(weights.seen):
        return
    for entry in range(batch):
        state.found[entry, :] = _F0
        for lag in range(len(page.at)):
            found = state.found[entry, lag * dim : (lag + 1) * dim]
            for book in range(books):
                token = page.said[entry % takes, book, page.at[lag, book, column]]
                if token >= 0:
                    row = weights.tokens_in[book, token]
                    for i in range(dim):
                        found[i] += value(row[i])
    product(weights.seen, state.found, state.more)
    add(state.x, state.more)


def add(x: np.ndarray, y: np.ndarray) -> None:
    """Adds the beginning of every y [B, >= dim] to x [B, dim]."""
    for entry in range(len(x)):
        to, what = x[entry], y[entry]
        for i in range(len(to)):
            to[i] += what[i]


def raise_copied(weights: Weights, state: State, page: Page, column: int) -> None:
    """Adds to the logits of copied tokens as far as gates say; `State.normed` is what the heads read."""
    if not len(weights.seen):
        return
    product(weights.gates, state.normed, state.raised)
    takes, books = page.delayed.shape[:2]
    lags, cardinality = len(page.at), weights.tokens_in.shape[1] - 2
    for entry in range(len(state.x)):
        for book in range(books):
            for lag in range(lags):
                token = page.said[entry % takes, book, page.at[lag, book, column]]
                if token >= 0:
                    gate = book * lags + lag
                    raised = state.raised[entry, gate] + weights.gates_bias[gate]
                    state.logits[entry, book * cardinality + token] += raised


def step(weights: Weights, state: State, page: Page, column: int) -> None:
    """`State.logits` of a column, after those before it."""
    dim = state.x.shape[1]
    read_tokens(weights, state, page, column)
    for layer in range(len(weights.qkv)):
        normed(weights, state, layer, 0, column)
        product(weights.qkv[layer], state.normed, state.wide)
        attend_own(state, layer, column)
        product(weights.out[layer], state.mixed, state.more)
        add(state.x, state.more)
        normed(weights, state, layer, 1, column)
        product(weights.query[layer], state.normed, state.wide)
        attend_cross(state, layer)
        product(weights.cross_out[layer], state.mixed, state.more)
        gate = weights.gate[layer]
        for entry in range(len(state.x)):
            for i in range(dim):
                state.x[entry, i] += state.more[entry, i] * gate[i]
        normed(weights, state, layer, 2, column)
        product(weights.ffn_in[layer], state.normed, state.hidden)
        for entry in range(len(state.x)):
            hidden = state.hidden[entry]
            for i in range(len(hidden)):
                hidden[i] = gelu(hidden[i])
        product(weights.ffn_out[layer], state.hidden, state.more)
        add(state.x, state.more)
    for entry in range(len(state.x)):
        norm(state.x[entry], weights.last_norm[0], weights.last_norm[1], state.normed[entry])
    product(weights.heads, state.normed, state.logits)
    raise_copied(weights, state, page, column)


def advance(weights: Weights, state: State, page: Page, dice: Dice, column: int) -> None:
    """Goes on to a column: what may be drawn there, in `dice`, as `chances.rank` leaves it."""
    step(weights, state, page, column)
    rank(state.logits, page.near, dice, column)


def settle(page: Page, dice: Dice, numbers: np.ndarray, even: bool, column: int) -> None:
    """Draws what is unknown of a column, by `numbers` [R, keep] as of `chances.pick`, and notes it."""
    takes, books, columns = page.delayed.shape
    steps = columns - books + 1
    before = page.said.shape[2] - 1 - steps
    for take in range(takes):
        for book in range(books):
            if page.unknown[book, column]:
                row = take * books + book
                page.delayed[take, book, column] = pick(dice, row, numbers[row], even)
            if len(page.at) and 0 <= column - book < steps:
                page.said[take, book, before + column - book] = page.delayed[take, book, column]


INNER = (norm, normed, attend, attend_own, attend_cross, read_tokens, add, raise_copied, step)
"""What `advance` is made of, beside what other files have."""
