"""Single numbers in machine code: stored weights, and functions that work on many at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_HALF, _F1 = np.float32(0.5), np.float32(1)


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


def teach_scalars() -> None:
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
