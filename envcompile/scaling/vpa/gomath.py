"""Powers as Go computes them: a percentile is decided by the last bit of a sum of them."""

from __future__ import annotations

import math
from typing import Final

_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
_P1: Final = 1.66666666666666657415e-01
_P2: Final = -2.77777777770155933842e-03
_P3: Final = 6.61375632143793436117e-05
_P4: Final = -1.65339022054652515390e-06
_P5: Final = 4.13813679705723846039e-08
_OVERFLOW: Final = 1.0239999999999999e03
_UNDERFLOW: Final = -1.0740e03


def exp2(exponent: float) -> float:
    """Two to the power of a number, bit by bit as Go's `math.Exp2` (math/exp.go, `exp2` and `expmulti`) has it.

    Args:
        exponent: any number; beyond the range of doubles the answer is infinity or 0.
    """
    if exponent > _OVERFLOW:
        return math.inf
    if exponent < _UNDERFLOW:
        return 0.0
    whole = int(exponent + 0.5) if exponent > 0 else int(exponent - 0.5)
    rest = exponent - whole
    high, low = rest * _LN2_HIGH, -rest * _LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (_P1 + t * (_P2 + t * (_P3 + t * (_P4 + t * _P5))))
    return math.ldexp(1 - ((low - (r * c) / (2 - c)) - high), whole)


def power(base: float, exponent: int) -> float:
    """A positive number to a whole power, bit by bit as Go's `math.Pow` (math/pow.go) has it.

    Args:
        base: a number above 0; infinity is allowed.
        exponent: any whole number.
    """
    if exponent == 0:
        return 1.0
    if exponent == 1:
        return base
    if math.isinf(base):
        return 0.0 if exponent < 0 else math.inf
    answer, shift = 1.0, 0
    fraction, scale = math.frexp(base)
    left = abs(exponent)
    while left:
        if left & 1:
            answer *= fraction
            shift += scale
        fraction *= fraction
        scale <<= 1
        if fraction < 0.5:
            fraction += fraction
            scale -= 1
        left >>= 1
    if exponent < 0:
        answer, shift = 1 / answer, -shift
    return math.ldexp(answer, shift)
