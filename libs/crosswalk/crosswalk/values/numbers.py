"""Numbers: one canonical number for every spelling, digits counted, rounded as vendors do."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal

_WHOLE = 2**53
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_DECIMAL_TEXT = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_PLAIN_TEXT = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?", re.ASCII)
# Wide enough for any double written out with its decimals.
_WIDE = Context(prec=800)


def canonical_number(value: int | float) -> int | float:
    """``value`` as an int where it is whole and within 2**53, else as it is.

    Raises:
        ValueError: not finite, or beyond 64 bits.
    """
    if type(value) is float:
        # Neither inf nor nan is an integer.
        if value.is_integer():
            return int(value) if -_WHOLE <= value <= _WHOLE else value
        if math.isfinite(value):
            return value
        raise ValueError("not finite")
    if _LOWEST <= value <= _HIGHEST:
        return value
    raise ValueError("beyond 64 bits")


def number_from_text(text: str, *, plain: bool = False) -> int | float:
    """The number that ``text`` spells; ``plain`` takes digits and one point only.

    Raises:
        ValueError: it spells none.
    """
    if not (_PLAIN_TEXT if plain else _DECIMAL_TEXT).fullmatch(text):
        raise ValueError("not a number")
    if "." in text or "e" in text or "E" in text:
        return canonical_number(float(text))
    return canonical_number(int(text))


def text_of_number(value: int | float) -> str:
    """Digits and at most one point, without an exponent."""
    if isinstance(value, int):
        return str(value)
    return format(Decimal(repr(value)), "f")


def significant_digits(value: int | float) -> int:
    """How many digits a number needs, zeros at either end apart."""
    digits = Decimal(repr(value)).as_tuple().digits
    return len("".join(map(str, digits)).strip("0")) or 1


def rounded(value: int | float, scale: int) -> int | float:
    """``value`` with at most ``scale`` decimals, halves away from zero."""
    if isinstance(value, int):
        return value
    step = Decimal(1).scaleb(-scale)
    exact = Decimal(repr(value)).quantize(step, rounding=ROUND_HALF_UP, context=_WIDE)
    return canonical_number(float(exact))
