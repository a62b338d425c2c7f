"""What parsing and rendering say when they cannot, and what rendering gives when it can."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from crosswalk.values.kinds import Canonical, Raw


class Unparsable(ValueError):  # noqa: N818 - it is an answer about a value, kept with the record
    """A source's value is not of the type that the source declares."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        """Names the type and its limit, never the value."""


class Refused(ValueError):  # noqa: N818 - it is an answer about a value, kept in quarantine
    """The destination's field cannot carry a value.

    ``code`` is one of ``required``, ``too_long``, ``not_an_option``, ``out_of_range``,
    ``too_precise``, ``not_whole``, ``wrong_form``.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        """Names the limit, never the value."""


class Rendered(NamedTuple):
    """A value ready to be written.

    ``held`` is what the side will say it holds afterwards: parsing ``raw`` gives it.
    """

    raw: Raw
    held: Canonical


Parse = Callable[[object], Canonical]
Render = Callable[[Canonical], Rendered]
