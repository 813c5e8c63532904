"""Products of matrices with a few vectors, in tiles that fill this machine's registers.

A matrix lies in blocks of outputs, [blocks, in, width], so that it is read once from end to end, and the sums
of a block stay in registers until they are done. Numba would take sums along rows apart and add them up at
every row's end, which takes most of the time where rows are short.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

ENTRIES = 4
"""So many vectors at most are multiplied by a tile at once."""


class TileShape(NamedTuple):
    """What fits into the registers."""

    width: int
    """Outputs of a block."""
    together: int
    """Vectors whose sums are kept at once."""


@cache
def tile_shape() -> TileShape:
    """For 32 registers of 16 numbers (AVX-512), or for 16 of 8 (AVX2) and 32 of 4 (NEON)."""
    from llvmlite.binding import get_host_cpu_features

    return TileShape(64, 4) if get_host_cpu_features().get("avx512f") else TileShape(32, 2)


def in_tiles(matrix: np.ndarray, width: int) -> np.ndarray:
    """A matrix [..., out, in] as [..., blocks, in, width]; outputs that are not there are zeros."""
    *front, rows, columns = matrix.shape
    blocks = -(-rows // width)
    room = np.zeros((*front, blocks * width, columns), matrix.dtype)
    room[..., :rows, :] = matrix
    return np.ascontiguousarray(room.reshape(*front, blocks, width, columns).swapaxes(-1, -2))


def tile(weights: np.ndarray, x: np.ndarray, y: np.ndarray, at: int) -> None:
    """y [n, at : at + width] = x [n, in] times weights [in, width], for 1 to `ENTRIES` vectors.

    `weights` are float32 or float16 (as uint16). Numba takes it from `teach_tiles`.
    """
    values = weights.view(np.float16) if weights.dtype == np.uint16 else weights
    y[:, at : at + weights.shape[1]] = x[:, : len(weights)] @ values.astype(np.float32)


def product(matrix: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """y [B, blocks * width] = x [B, in] times matrix [blocks, in, width]."""
    width, batch = matrix.shape[2], len(x)
    for block in range(len(matrix)):
        for entry in range(0, batch, ENTRIES):
            last = min(entry + ENTRIES, batch)
            tile(matrix[block], x[entry:last], y[entry:last], block * width)


# --- machine code ---


@cache
def teach_tiles() -> None:
    """Tells numba what `tile` is."""
    from numba import types
    from numba.extending import intrinsic, overload

    def built(_context: Any, weights: Any, x: Any, y: Any, at: Any) -> Any:
        return types.void(weights, x, y, types.intp), _build

    in_registers: Any = intrinsic(built)

    # Without annotations: numba wants those of both functions to be the same.
    @overload(tile)
    def _tile(weights, x, y, at):
        return lambda weights, x, y, at: in_registers(weights, x, y, at)


def _build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """A loop for each number of vectors; of more than fit together, one after the other."""
    from numba.core import cgutils

    weights, x, y = (
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args[:3], args, strict=False)
    )
    at = args[3]
    inputs, _ = cgutils.unpack_tuple(builder, weights.shape)
    count = cgutils.unpack_tuple(builder, x.shape)[0]
    together = tile_shape().together
    done = builder.append_basic_block("tiled")
    choice = builder.switch(count, done)
    for entries in range(1, ENTRIES + 1):
        block = builder.append_basic_block(f"tile_of_{entries}")
        choice.add_case(count.type(entries), block)
        builder.position_at_end(block)
        for first in range(0, entries, together):
            own = range(first, min(first + together, entries))
            _loop(
                builder,
                weights.data,
                [_row(builder, x, entry) for entry in own],
                [builder.gep(_row(builder, y, entry), [at]) for entry in own],
                inputs,
            )
        builder.branch(done)
    builder.position_at_end(done)
    return context.get_dummy_value()


def _row(builder: Any, array: Any, index: int) -> Any:
    """Where a row of a matrix begins."""
    from numba.core import cgutils

    stride = cgutils.unpack_tuple(builder, array.strides)[0]  # in bytes
    return cgutils.pointer_add(builder, array.data, builder.mul(stride, stride.type(index)))


def _loop(builder: Any, weights: Any, xs: list[Any], ys: list[Any], inputs: Any) -> None:
    """ys = xs times `weights`: pointers to vectors, and to a tile of so many inputs (at least one)."""
    from llvmlite import ir

    width, number, lane = tile_shape().width, ir.FloatType(), ir.IntType(32)
    half = weights.type.pointee != number
    vector = ir.VectorType(number, width)
    stored = ir.VectorType(ir.HalfType(), width) if half else vector
    nothing = ir.Constant(vector, ir.Undefined)
    everywhere = ir.Constant(ir.VectorType(lane, width), [0] * width)
    before, loop, after = (
        builder.block,
        builder.append_basic_block("tile"),
        builder.append_basic_block("tile_done"),
    )
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(inputs.type)
    index.add_incoming(inputs.type(0), before)
    sums = [builder.phi(vector) for _ in xs]
    for each in sums:
        each.add_incoming(ir.Constant(vector, [0.0] * width), before)
    place = builder.gep(weights, [builder.mul(index, inputs.type(width))])
    row = builder.load(builder.bitcast(place, stored.as_pointer()))
    row.align = 2 if half else 4
    if half:
        row = builder.fpext(row, vector)
    more = []
    for each, x in zip(sums, xs, strict=True):
        one = builder.insert_element(nothing, builder.load(builder.gep(x, [index])), lane(0))
        by = builder.fmul(row, builder.shuffle_vector(one, nothing, everywhere), flags=_FUSED)
        more.append(builder.fadd(each, by, flags=_FUSED))
    following = builder.add(index, inputs.type(1))
    index.add_incoming(following, loop)
    for each, then in zip(sums, more, strict=True):
        each.add_incoming(then, loop)
    builder.cbranch(builder.icmp_signed("<", following, inputs), loop, after)
    builder.position_at_end(after)
    for y, then in zip(ys, more, strict=True):
        builder.store(then, builder.bitcast(y, vector.as_pointer())).align = 4


_FUSED = ("contract", "nsz")
"""A product and its sum may be rounded once."""
