"""Records of a full check: they show, besides, what the source holds of what it only receives."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from contextlib import suppress
from typing import Any

from crosswalk.mapping import Mapping, Side
from crosswalk.values import Unparsable, parser
from crosswalk.wire import HELD, SOURCE

from mapper_sweo.composed import NOT_READ
from mapper_sweo.plan import StreamPlan, source_types


class CheckPlan(StreamPlan):
    """A stream's plan in a full check."""

    def __init__(self, mapping: Mapping, schema: MappingOf[str, Any], to: Side) -> None:
        super().__init__(mapping, schema, to)
        types = source_types(mapping, schema)
        names = [field.on(to.other) for field in mapping.held_on(to.other)]
        self._held = tuple((name, parser(types[name])) for name in names if name in types)
        self.schema["properties"][HELD] = {"type": "object"}

    def record(self, values: MappingOf[str, Any]) -> dict[str, Any]:
        """As in an ordinary run, with ``_held`` before ``_source``.

        A value that cannot be parsed was not written by us: it says nothing and is left out.
        """
        mapped = super().record(values)
        source = mapped.pop(SOURCE, None)
        held: dict[str, Any] = {}
        for name, parse in self._held:
            value = values.get(name, NOT_READ)
            if value is not NOT_READ:
                with suppress(Unparsable):
                    held[name] = None if value is None else parse(value)
        if held:
            mapped[HELD] = held
        if source is not None:
            mapped[SOURCE] = source
        return mapped
