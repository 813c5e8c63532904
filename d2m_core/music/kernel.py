"""One column of the decoder as plain loops over arrays, which numba compiles for this machine.

A step multiplies every weight with one vector. Torch takes two to ten times as long for that as it takes
to read the weights, and its calls alone take longer than a small network's products. Here a step is one
call, weights that were stored as float16 are read as such (half the bytes, the same numbers), and every
row is read once for up to four entries of the batch.

What stands here is plain Python too, and slow; `compiled` imports numba when music is first written.
Numba keeps what it compiled beside this file, or in the user's cache folder.
"""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

_log = logging.getLogger(__name__)

NORM_EPSILON = np.float32(1e-5)
"""As in `torch.nn.LayerNorm`."""

_ORDER_FREE = {"reassoc", "contract", "nsz", "arcp"}
"""Sums may be taken in another order, which is the same in every call; not finite stays not finite."""

_F0, _HALF, _F1 = np.float32(0), np.float32(0.5), np.float32(1)


class Weights(NamedTuple):
    """All that a step multiplies by. Matrices [..., out, in] are float32 or float16 (as uint16)."""

    tokens_in: np.ndarray
    """[K, V + 2, dim]."""
    norms: np.ndarray
    """float32 [layers, 6, dim]: weight and bias of the norms before attention, cross-attention, ffn."""
    qkv: np.ndarray
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
    """[K V, dim]."""
    seen: np.ndarray
    """[dim, L dim]: how copied tokens are seen; no rows where the model does not look back."""
    gates: np.ndarray
    """[L K, dim]."""
    gates_bias: np.ndarray
    """float32 [L K]."""


class State(NamedTuple):
    """What some entries of the batch remember, and room to compute in; all float32 but `side`."""

    side: np.ndarray
    """int64 [B]: whose conditions each entry has."""
    own: np.ndarray
    """[layers, 2, B, H, dim / H, S]: keys and values so far, steps last."""
    cross: np.ndarray
    """[layers, 2, sides, H, dim / H, M]."""
    added: np.ndarray
    """[sides, S, dim]."""
    told: np.ndarray
    """[layers, sides, S, 6, dim]; no layers where nothing is told."""
    x: np.ndarray
    """[B, dim]."""
    normed: np.ndarray
    """[B, dim]."""
    mixed: np.ndarray
    """[B, dim]."""
    wide: np.ndarray
    """[B, 3 dim]."""
    hidden: np.ndarray
    """[B, ffn]."""
    found: np.ndarray
    """[B, L dim]."""
    raised: np.ndarray
    """[B, L K]."""
    scores: np.ndarray
    """[longest]."""


# --- numbers: numba takes `value` and `power_of_two` from `compiled` ---


def value(stored: Any) -> Any:
    """A weight as float32."""
    return np.float32(stored.view(np.float16)) if stored.dtype == np.uint16 else stored


def power_of_two(exponent: Any) -> Any:
    """2 ** exponent as float32, for -126 to 127."""
    return np.float32(2.0 ** float(exponent))


def exponential(x: Any) -> Any:
    """exp(x) for x <= 0, to 2 units in the last place (Cephes' expf); below -87 it is exp(-87)."""
    x = max(x, np.float32(-87.0))
    n = np.floor(x * np.float32(1.44269504088896341) + _HALF)
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4) * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    return (p * r * r + r + _F1) * power_of_two(np.int32(n))


def gelu(x: Any) -> Any:
    """x times the normal distribution's sum up to x; erf as a quotient of polynomials (Eigen, XLA)."""
    z = x * np.float32(math.sqrt(0.5))
    z = min(max(z, np.float32(-3.8325069)), np.float32(3.8325069))
    s = z * z
    over = np.float32(0.00022905065861350646) * s + np.float32(0.0034082910107109506)
    over = over * s + np.float32(0.050955695062380861)
    over = over * s + np.float32(0.18520832239976145)
    over = over * s + np.float32(1.128379143519084)
    under = np.float32(-1.1791602954361697e-7) * s + np.float32(2.3547966471313185e-5)
    under = under * s + np.float32(0.0010179625278914885)
    under = under * s + np.float32(0.014070470171167667)
    under = under * s + np.float32(0.11098505178285362)
    under = under * s + np.float32(0.49746925110067538)
    under = under * s + _F1
    return _HALF * x * (_F1 + z * over / under)


# --- parts of a layer ---


def product(matrix: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """y [B, out] = x [B, in] times matrix [out, in]; every weight is read once for four entries."""
    rows, columns = matrix.shape
    batch = len(x)
    fours = batch // 4 * 4
    for row in range(rows):
        weights = matrix[row]
        for entry in range(0, fours, 4):
            x0, x1, x2, x3 = x[entry], x[entry + 1], x[entry + 2], x[entry + 3]
            s0, s1, s2, s3 = _F0, _F0, _F0, _F0
            for i in range(columns):
                w = value(weights[i])
                s0 += w * x0[i]
                s1 += w * x1[i]
                s2 += w * x2[i]
                s3 += w * x3[i]
            y[entry, row], y[entry + 1, row], y[entry + 2, row], y[entry + 3, row] = s0, s1, s2, s3
        entry = fours
        if entry + 2 <= batch:
            x0, x1 = x[entry], x[entry + 1]
            s0, s1 = _F0, _F0
            for i in range(columns):
                w = value(weights[i])
                s0 += w * x0[i]
                s1 += w * x1[i]
            y[entry, row], y[entry + 1, row] = s0, s1
            entry += 2
        if entry < batch:
            x0, s0 = x[entry], _F0
            for i in range(columns):
                s0 += value(weights[i]) * x0[i]
            y[entry, row] = s0


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
            told = state.told[layer, state.side[entry], position]
            scale, shift = told[2 * which], told[2 * which + 1]
            for i in range(len(y)):
                y[i] = shift[i] + y[i] * (_F1 + scale[i])


def attend(
    query: np.ndarray, keys: np.ndarray, values: np.ndarray, count: int, scores: np.ndarray, y: np.ndarray
) -> None:
    """Attention of a query [size] to the first `count` of keys and values [size, steps], into `y`."""
    size = len(query)
    factor = np.float32(1.0 / math.sqrt(size))
    for s in range(count):
        scores[s] = _F0
    for d in range(size):
        q, row = query[d] * factor, keys[d]
        for s in range(count):
            scores[s] += q * row[s]
    most = scores[0]
    for s in range(1, count):
        most = max(most, scores[s])
    total = _F0
    for s in range(count):
        e = exponential(scores[s] - most)
        scores[s] = e
        total += e
    for d in range(size):
        row, sum_ = values[d], _F0
        for s in range(count):
            sum_ += scores[s] * row[s]
        y[d] = sum_ / total


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


def read_tokens(
    weights: Weights, state: State, tokens: np.ndarray, copied: np.ndarray, position: int
) -> None:
    """Embeddings of tokens [B, K], what stands at `position`, and what copied tokens say, in `State.x`."""
    batch, dim = state.x.shape
    for entry in range(batch):
        x, added = state.x[entry], state.added[state.side[entry], position]
        for i in range(dim):
            x[i] = added[i]
        for book in range(tokens.shape[1]):
            row = weights.tokens_in[book, tokens[entry, book]]
            for i in range(dim):
                x[i] += value(row[i])
    if not len(weights.seen):
        return
    for entry in range(batch):
        state.found[entry, :] = _F0
        for lag in range(copied.shape[1]):
            found = state.found[entry, lag * dim : (lag + 1) * dim]
            for book in range(copied.shape[2]):
                token = copied[entry, lag, book]
                if token >= 0:
                    row = weights.tokens_in[book, token]
                    for i in range(dim):
                        found[i] += value(row[i])
    product(weights.seen, state.found, state.mixed)
    add(state.x, state.mixed)


def add(x: np.ndarray, y: np.ndarray) -> None:
    for entry in range(len(x)):
        to, what = x[entry], y[entry]
        for i in range(len(to)):
            to[i] += what[i]


def raise_copied(weights: Weights, state: State, copied: np.ndarray, logits: np.ndarray) -> None:
    """Adds to the logits of copied tokens as far as gates say; `State.normed` is what the heads read."""
    if not len(weights.seen):
        return
    product(weights.gates, state.normed, state.raised)
    batch, lags, books = copied.shape
    cardinality = logits.shape[1] // books
    for entry in range(batch):
        for book in range(books):
            for lag in range(lags):
                token = copied[entry, lag, book]
                if token >= 0:
                    gate = book * lags + lag
                    raised = state.raised[entry, gate] + weights.gates_bias[gate]
                    logits[entry, book * cardinality + token] += raised


def step(
    weights: Weights, state: State, tokens: np.ndarray, copied: np.ndarray, position: int, logits: np.ndarray
) -> None:
    """Logits [B, K V] of the column after tokens int64 [B, K] at `position`; copied int64 [B, L, K]."""
    dim = state.x.shape[1]
    read_tokens(weights, state, tokens, copied, position)
    for layer in range(len(weights.qkv)):
        normed(weights, state, layer, 0, position)
        product(weights.qkv[layer], state.normed, state.wide)
        attend_own(state, layer, position)
        product(weights.out[layer], state.mixed, state.normed)
        add(state.x, state.normed)
        normed(weights, state, layer, 1, position)
        product(weights.query[layer], state.normed, state.wide)
        attend_cross(state, layer)
        product(weights.cross_out[layer], state.mixed, state.normed)
        gate = weights.gate[layer]
        for entry in range(len(state.x)):
            for i in range(dim):
                state.x[entry, i] += state.normed[entry, i] * gate[i]
        normed(weights, state, layer, 2, position)
        product(weights.ffn_in[layer], state.normed, state.hidden)
        for entry in range(len(state.x)):
            hidden = state.hidden[entry]
            for i in range(len(hidden)):
                hidden[i] = gelu(hidden[i])
        product(weights.ffn_out[layer], state.hidden, state.normed)
        add(state.x, state.normed)
    for entry in range(len(state.x)):
        norm(state.x[entry], weights.last_norm[0], weights.last_norm[1], state.normed[entry])
    product(weights.heads, state.normed, logits)
    raise_copied(weights, state, copied, logits)


# --- drawing: numpy sorts the keys between these two ---

_INDEX = 0xFFFFFFFF
"""The lower half of a key: which token it is of; the upper half falls as the token's logit rises."""


def rank(
    logits: np.ndarray, guidance: float, style_guidance: float, values: np.ndarray, keys: np.ndarray
) -> None:
    """Guided logits of [sides R, V] in `values` [R, V], and keys int64 [R, V] that rise as they fall.

    Sides are as `windows.guidance_sides` has them; 1 and 0 are no guidance.
    """
    rows, tokens = values.shape
    bits = values.view(np.int32)
    last = len(logits) - rows
    free, styled = guidance != 1, style_guidance != 0
    by, style_by = np.float32(guidance), np.float32(style_guidance)
    for row in range(rows):
        for token in range(tokens):
            asked = logits[row, token]
            guided = asked
            if free:
                other = logits[rows + row, token]
                guided = other + by * (asked - other)
            if styled:
                guided += style_by * (asked - logits[last + row, token])
            values[row, token] = guided
        for token in range(tokens):
            order = np.int64(bits[row, token])
            if order < 0:
                order ^= 0x7FFFFFFF
            keys[row, token] = -order * (_INDEX + 1) + token


def pick(
    values: np.ndarray,
    keys: np.ndarray,
    noise: np.ndarray,
    temperature: float,
    top_p: float,
    chances: np.ndarray,
    drawn: np.ndarray,
) -> None:
    """One token for each row, drawn as `torch.multinomial` does it, from as many of the sorted `keys` as
    there is `noise` [R, keep], exponentially distributed."""
    rows, keep = noise.shape
    warmth, most = np.float32(temperature), np.float32(top_p)
    for row in range(rows):
        first = values[row, keys[row, 0] & _INDEX]
        for place in range(keep):
            chances[place] = (values[row, keys[row, place] & _INDEX] - first) / warmth
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
            if chance / noise[row, place] > best:
                best, found = chance / noise[row, place], place
        drawn[row] = keys[row, found] & _INDEX


# --- compiling ---

_PARTS = (
    exponential,
    gelu,
    product,
    norm,
    normed,
    attend,
    attend_own,
    attend_cross,
    read_tokens,
    add,
    raise_copied,
)


class Compiled(NamedTuple):
    """The functions of this file in machine code, which lets other threads run."""

    step: Callable[..., None]
    rank: Callable[..., None]
    pick: Callable[..., None]


@cache
def numba_is_there() -> bool:
    """Whether it can be loaded; if not, the log says why once."""
    try:
        import numba  # noqa: F401
    except (ImportError, OSError) as error:
        _log.info("Music is written by torch alone, which is slower: numba cannot be loaded (%s).", error)
        return False
    return True


@cache
def compiled() -> Compiled:
    """Raises ImportError where numba is not to be had."""
    import numba
    from numba.extending import register_jitable

    _teach_numbers()
    for part in _PARTS:
        register_jitable(fastmath=_ORDER_FREE, error_model="numpy")(part)
    jit = numba.njit(nogil=True, cache=True, fastmath=_ORDER_FREE, error_model="numpy")
    _name_kept_files(step, rank, pick)
    return Compiled(jit(step), jit(rank), jit(pick))


def _name_kept_files(*functions: Any) -> None:
    """Files of this module as it is called now.

    What numba keeps imports the module by the name that it had then, and its file has the function's name
    alone: ComfyUI calls this module after the pack's folder, the command line does not; both read one folder.
    """
    mark = zlib.crc32(__name__.encode())
    for function in functions:
        function.__qualname__ = f"{function.__name__}_{mark:08x}"


def _teach_numbers() -> None:
    """Tells numba what `value` and `power_of_two` are, in instructions that work on many at a time."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic, overload

    def reads(_context: Any, bits: Any) -> Any:
        half = bits == types.uint16

        def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            if half:
                return builder.fpext(builder.bitcast(args[0], ir.HalfType()), ir.FloatType())
            return builder.bitcast(args[0], ir.FloatType())

        return types.float32(bits), build

    of_bits: Any = intrinsic(reads)

    # Without annotations: numba wants those of both functions to be the same.
    @overload(value)
    def _value(stored):
        return (lambda stored: of_bits(stored)) if stored == types.uint16 else (lambda stored: stored)

    @overload(power_of_two)
    def _power_of_two(exponent):
        return lambda exponent: of_bits(np.int32((np.int32(exponent) + np.int32(127)) << np.int32(23)))
