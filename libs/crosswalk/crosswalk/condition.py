"""What can be told of a SOQL condition without asking an org: its texts, and its brackets."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Final

_TEXT: Final = re.compile(r"'(?:\\.|[^'\\])*'")
_DEPTHS: Final = {"(": 1, ")": -1}


def without_texts(condition: str) -> str:
    """The condition with every quoted text emptied, so that only its syntax is left."""
    return _TEXT.sub("''", condition)


def pairs_brackets(condition: str) -> bool:
    """Whether every bracket has its other half, in order.

    A condition is put in brackets beside others: one that closes these by itself would let in
    every record that its rest names, and the org would take it.
    """
    depths = list(accumulate(_DEPTHS.get(char, 0) for char in without_texts(condition)))
    return not depths or (min(depths) >= 0 and depths[-1] == 0)
