"""Records of the API as the exchange sees them: canonical values, keys, times."""

from __future__ import annotations

from collections.abc import Sequence

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Mapping
from crosswalk.values import Canonical, Parse, Unparsable, parser
from singer_runtime.destination import Candidate, Outcome, Presence, Reading, Result
from sweo_client import Answer
from sweo_client.clock import iso
from sweo_client.fields import COMPANY, STANDARD, Record, companies_of, model_of, reader
from sweo_client.query import Lookup, updated_at
from sweo_client.segments import is_inside

from target_sweo.attributes import Attributes


class Records:
    """Reads records of every mapping that was prepared; ``types`` are by mapping and field."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        self._parsers: dict[FieldType, Parse] = {}
        self.types: dict[str, dict[str, FieldType]] = {}

    def reading(
        self, mapping: Mapping, record_id: str, lookup: Lookup, fields: Sequence[str]
    ) -> Reading:
        """A look-up by id, with the values of ``fields``."""
        read_at = iso(lookup.read_at)
        if lookup.record is None:
            presence = Presence.INVISIBLE if lookup.refused else Presence.DELETED
            return Reading(record_id, presence, read_at=read_at, merged_into=lookup.merged_into)
        return Reading(
            record_id,
            values=self._canonical(mapping, lookup.record, fields),
            keys=self._keys_of(mapping, lookup.record),
            modified_at=iso(updated_at(lookup.record)),
            read_at=read_at,
            parent_ids=companies_of(lookup.record),
            inside=self._inside(mapping, lookup.record),
        )

    def _inside(self, mapping: Mapping, record: Record) -> bool | None:
        """Whether the filter lets the record in; of a contact its record does not tell."""
        names = mapping.only.segments
        if not names or model_of(mapping.sweo) != COMPANY:
            return None
        return is_inside(record, names)

    def candidate(self, mapping: Mapping, row: Record) -> Candidate:
        """What linking needs to know of a record."""
        return Candidate(
            id=str(row["id"]),
            keys=self._keys_of(mapping, row),
            modified_at=iso(updated_at(dict(row))),
            rank=1 if row.get("role") == "lead" else 0,
        )

    def written(
        self, result: Result, mapping: Mapping, answer: Answer, names: tuple[str, ...]
    ) -> Outcome:
        """The outcome of a write that was answered; ``names`` are the fields that were sent."""
        record = answer.body
        if "id" not in record:
            return Outcome(Result.UNKNOWN)
        return Outcome(
            result,
            id=str(record["id"]),
            answered=self._canonical(mapping, record, names),
            modified_at=iso(updated_at(record)),
            # A Date header may be a second behind the time that the record itself shows.
            answered_at=iso(max(answer.answered_at, updated_at(record))),
        )

    def _canonical(
        self, mapping: Mapping, record: Record, names: Sequence[str]
    ) -> dict[str, Canonical]:
        """Canonical values; one that cannot be parsed is left out, as if it had not been read."""
        model, types = model_of(mapping.sweo), self.types[mapping.name]
        values: dict[str, Canonical] = {}
        for name in names:
            field = types[name]
            try:
                values[name] = self._parser(field)(reader(model, field)(record))
            except Unparsable:
                continue
        return values

    def _parser(self, field: FieldType) -> Parse:
        if field not in self._parsers:
            self._parsers[field] = parser(field)
        return self._parsers[field]

    def _keys_of(self, mapping: Mapping, record: Record) -> tuple[str | None, ...]:
        model = model_of(mapping.sweo)
        types = self.types.get(mapping.name) or STANDARD[model]
        if any(match.sweo not in types for match in mapping.match):
            types = self._attributes.of(model)
        raw = [
            reader(model, types[m.sweo])(record) if m.sweo in types else None for m in mapping.match
        ]
        return tuple(None if value in (None, "") else str(value) for value in raw)
