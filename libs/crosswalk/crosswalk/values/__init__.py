"""Values: one canonical form, and for each side and type a pair of functions, parse and render.

The laws, for every field and every value: ``parser(field)(r.raw) == r.held`` where ``r`` is what
``renderer`` gave; rendering ``r.held`` for the same field gives ``r`` again; what a field cannot
carry is refused with a reason that names the limit and never the value.
"""

from __future__ import annotations

from crosswalk.values.conversion import agree, agreement, can_meet, parser, renderer
from crosswalk.values.kinds import Canonical, Kind, Raw, kind_of
from crosswalk.values.outcome import Parse, Refused, Render, Rendered, Unparsable

__all__ = [
    "Canonical",
    "Kind",
    "Parse",
    "Raw",
    "Refused",
    "Render",
    "Rendered",
    "Unparsable",
    "agree",
    "agreement",
    "can_meet",
    "kind_of",
    "parser",
    "renderer",
]
