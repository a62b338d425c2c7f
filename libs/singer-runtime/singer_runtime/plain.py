"""Ordinary Singer streams, from taps that know nothing of our wire.

The stream's name is the object, its key properties are the match, and records are upserted.
"""

from __future__ import annotations

import typing as t

from crosswalk.errors import FatalError, RetryLaterError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Create, Direction, Field, Mapping, Match, Side
from crosswalk.match import normalise
from crosswalk.values import Unparsable, parser
from crosswalk.wire import MATCH, REFUSED, SOURCE, StreamNote

from singer_runtime.exchange import StreamExchange

if t.TYPE_CHECKING:
    from crosswalk.values import Parse

    from singer_runtime.context import RunContext
    from singer_runtime.incoming import Record

_TYPES: t.Final = {
    Side.SALESFORCE: {
        "string": "textarea",
        "integer": "int",
        "number": "double",
        "boolean": "boolean",
        "date": "date",
        "date-time": "datetime",
    },
    Side.SWEO: {
        "string": "string",
        "integer": "integer",
        "number": "float",
        "boolean": "boolean",
        "date": "date",
        "date-time": "datetime",
    },
}
_EPOCH: t.Final = "1970-01-01T00:00:00Z"


class PlainStream:
    """One stream of a foreign tap, exchanged like a mapping whose fields all flow one way."""

    def __init__(
        self, run: RunContext, name: str, schema: dict[str, t.Any], keys: t.Sequence[str]
    ) -> None:
        if not keys:
            raise FatalError(
                f"The stream {name} has no key_properties; a target needs one to find records by."
            )
        self.run = run
        self.name = name
        self.keys = list(keys)
        types = {
            field: FieldType(run.x, field, _type_of(run.x, field_schema))
            for field, field_schema in schema.get("properties", {}).items()
            if _is_scalar(field_schema)
        }
        direction = Direction.TO_SWEO if run.y is Side.SWEO else Direction.TO_SALESFORCE
        mapping = Mapping(
            name=name,
            salesforce=name,
            sweo=name,
            match=tuple(Match(key, key) for key in self.keys),
            fields=tuple(Field(field, field, direction) for field in types),
            create={run.y: Create.ALWAYS, run.x: Create.NEVER},
        )
        self._parsers: dict[str, Parse] = {field: parser(kind) for field, kind in types.items()}
        note = StreamNote(mapping=name, side=run.x.value, object=name, dated=False)
        self._exchange = StreamExchange(run, mapping, note, types)

    @property
    def holds(self) -> bool:
        """Whether records wait for the end of the stream."""
        return self._exchange.holds

    def finish(self) -> None:
        """The stream has ended; raises as ``process`` does."""
        self._in_order(self._exchange.finish)

    def process(self, records: t.Sequence[Record]) -> None:
        """Exchange one batch of plain records.

        Raises:
            RetryLaterError: some could not be sent. Nobody can ask a foreign tap for one record,
                so STATE must not pass them.
        """
        now = self.run.ledger.now()
        on_our_wire = [self._on_our_wire(record, now) for record in records]
        self._in_order(lambda: self._exchange.process(on_our_wire))

    def _in_order(self, exchange: t.Callable[[], None]) -> None:
        counts = self.run.counts
        before = counts.deferred
        exchange()
        if counts.deferred > before:
            raise RetryLaterError(
                f"{counts.deferred - before} records of {self.name} could not be sent; STATE stays "
                "before them, so run again."
            )

    def _on_our_wire(self, record: Record, now: str) -> Record:
        values: Record = {}
        refused: dict[str, str] = {}
        for name, parse in self._parsers.items():
            if name in record:
                try:
                    values[name] = parse(record[name])
                except Unparsable as error:
                    refused[name] = str(error)
        keys = [normalise(record.get(key), match.normalise) for key, match in self._matches()]
        values[MATCH] = keys
        if refused:
            values[REFUSED] = refused
        values[SOURCE] = {
            "id": "|".join(key or "" for key in keys),
            "modified_at": _EPOCH,
            "read_at": now,
        }
        return values

    def _matches(self) -> t.Iterable[tuple[str, Match]]:
        return zip(self.keys, self._exchange.mapping.match, strict=True)


def _kinds(schema: dict[str, t.Any]) -> set[str]:
    kinds = schema.get("type", "string")
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _is_scalar(schema: dict[str, t.Any]) -> bool:
    return not _kinds(schema) & {"object", "array"}


def _type_of(side: Side, schema: dict[str, t.Any]) -> str:
    kinds = _kinds(schema)
    for kind in ("boolean", "integer", "number"):
        if kind in kinds:
            return _TYPES[side][kind]
    form = schema.get("format")
    return _TYPES[side][form if form in ("date", "date-time") else "string"]
