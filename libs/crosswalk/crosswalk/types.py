"""Which field types meet: every Salesforce type against every Sweo type, in each direction.

``python -m crosswalk.types`` prints the page ``docs/types.md``, which a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side
from crosswalk.values.conversion import can_meet, is_formed_text, is_read_only
from crosswalk.values.kinds import SALESFORCE_KINDS, SWEO_KINDS, Kind, kind_of


@dataclass(frozen=True, slots=True)
class Meeting:
    """Whether values of one field can be written to another.

    ``converted`` tells a conversion from a plain copy. ``note`` says how, or why not; it may be
    empty for a plain copy.
    """

    ok: bool
    converted: bool = False
    note: str = ""

    @property
    def how(self) -> str | None:
        """What happens to the value on its way, where the types meet."""
        return (self.note or "direct") if self.ok else None

    @property
    def why(self) -> str | None:
        """Why the types cannot meet, where they cannot."""
        return None if self.ok else self.note


_UNSUPPORTED = {
    "address": "a compound of several fields; map its parts, such as BillingCity",
    "location": "a compound of two fields; map its parts, the latitude and the longitude",
    "base64": "a file, which no attribute holds",
    "anyType": "its type differs from record to record",
    "complexvalue": "it has no plain value",
    "json": "it has no plain value",
    "datacategorygroupreference": "a category of articles, which no attribute holds",
}
_READ_ONLY = {
    "id": "Salesforce gives record ids and takes none",
    "time": "a time of day has no counterpart in Sweo; it flows to Sweo only, as text",
    "encryptedstring": "the API shows it masked, so what is read is not what is held",
}
_CONVERTED = {
    (Kind.NUMBER, Kind.TEXT): "its digits, with a point and without an exponent",
    (Kind.TEXT, Kind.NUMBER): "a plain decimal number; other text is refused",
    (Kind.BOOLEAN, Kind.TEXT): "true or false",
    (Kind.TEXT, Kind.BOOLEAN): "true or false in any case; other text is refused",
    (Kind.DATE, Kind.TEXT): "YYYY-MM-DD",
    (Kind.TEXT, Kind.DATE): "YYYY-MM-DD; other text is refused",
    (Kind.TIMESTAMP, Kind.TEXT): "YYYY-MM-DDTHH:MM:SSZ",
    (Kind.TEXT, Kind.TIMESTAMP): "an ISO 8601 time with an offset; other text is refused",
    (Kind.OPTIONS, Kind.TEXT): "the options, sorted and joined by semicolons",
    (Kind.TEXT, Kind.OPTIONS): "split at semicolons, as a set",
    (Kind.REFERENCE, Kind.TEXT): "the record id of 18 characters",
    (Kind.TEXT, Kind.REFERENCE): "a record id of 15 or 18 characters; other text is refused",
    (Kind.DATE, Kind.TIMESTAMP): "noon of that day in the workspace's time zone",
    (Kind.TIMESTAMP, Kind.DATE): "the day of that time in the workspace's time zone",
}
_NOUNS = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a day",
    Kind.TIMESTAMP: "a time",
    Kind.OPTIONS: "a set of options",
    Kind.REFERENCE: "a record id",
}


def meets(source: FieldType, dest: FieldType) -> Meeting:
    """Whether and how values of ``source`` can be written to ``dest``.

    Types alone decide. Whether a field may be written by this user (``writable``) and whether one
    value fits (length, options, range) are other questions.
    """
    for field in (source, dest):
        if kind_of(field) is Kind.UNSUPPORTED:
            return Meeting(
                ok=False, note=_UNSUPPORTED.get(field.type, f"unknown type {field.type}")
            )
    if is_read_only(dest):
        return Meeting(ok=False, note=_READ_ONLY[dest.type])
    pair = kind_of(source), kind_of(dest)
    if not can_meet(source, dest):
        if (is_formed_text(source) or is_formed_text(dest)) and Kind.TEXT in pair:
            formed = source if is_formed_text(source) else dest
            return Meeting(ok=False, note=f"the type {formed.type} meets text only")
        return Meeting(ok=False, note=f"{_NOUNS[pair[0]]} is not {_NOUNS[pair[1]]}")
    if pair in _CONVERTED:
        return Meeting(ok=True, converted=True, note=_CONVERTED[pair])
    return _within_kind(source, dest)


def _within_kind(source: FieldType, dest: FieldType) -> Meeting:
    if dest.side is Side.SWEO and dest.type == "integer" and source.type not in _WHOLE_TYPES:
        return Meeting(ok=True, converted=True, note="whole numbers; a fraction is refused")
    if dest.side is Side.SALESFORCE and dest.type in _WHOLE_TYPES and source.type == "float":
        return Meeting(ok=True, converted=True, note="rounded to a whole number")
    if dest.side is Side.SWEO and dest.type == "options":
        return Meeting(ok=True, converted=True, note="one of the options; other text is refused")
    return Meeting(ok=True)


_WHOLE_TYPES = frozenset({"int", "long", "integer"})

_INTRODUCTION = """\
# Which field types meet

Made from the code by `python -m crosswalk.types`; a test compares it.

**direct**: the value is copied. **converted**: it is copied in another form, as the note says.
**refused**: the two fields cannot be mapped to each other in this direction, and the run says so \
before its first write.

What a field cannot hold is refused value by value: the record's other fields are written, and \
the value stands in quarantine with the limit named. The limits are the field's own: characters \
(255 in Sweo; counted as Unicode code points), digits (15 significant ones in Sweo; precision in \
Salesforce, where decimals are rounded to the scale, halves away from zero), options of a \
restricted picklist (found in any case of letters), whole numbers up to 2^53 - 1 in a Sweo integer \
and up to 2^31 - 1 in `size` and `monthly_spend` (which drops the fraction), years 1700 to 4000 in \
Salesforce. Text in Salesforce is trimmed. An empty value is empty on both sides, except that an \
empty checkbox is false.

A Sweo `date` is kept as seconds since 1970 UTC, so it has a time of day, as `datetime` has.
"""


def types_page() -> str:
    """The text of ``docs/types.md``."""
    notes: list[str] = []
    parts = [_INTRODUCTION]
    for heading, to_sweo in (("## Salesforce to Sweo", True), ("## Sweo to Salesforce", False)):
        parts += [heading, "", *_table(notes, to_sweo=to_sweo), ""]
    parts += ["## Notes", ""]
    parts += [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
    return "\n".join(parts) + "\n"


def _table(notes: list[str], *, to_sweo: bool) -> Iterator[str]:
    columns = list(SWEO_KINDS)
    yield f"| Salesforce \\ Sweo | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for row in SALESFORCE_KINDS:
        salesforce = FieldType(side=Side.SALESFORCE, name=row, type=row)
        cells = []
        for column in columns:
            sweo = FieldType(side=Side.SWEO, name=column, type=column)
            pair = (salesforce, sweo) if to_sweo else (sweo, salesforce)
            cells.append(_cell(meets(*pair), notes))
        yield f"| {row} | {' | '.join(cells)} |"


def _cell(meeting: Meeting, notes: list[str]) -> str:
    if not meeting.note:
        return "direct"
    if meeting.note not in notes:
        notes.append(meeting.note)
    word = "converted" if meeting.ok else "refused"
    return f"{word} {notes.index(meeting.note) + 1}"


if __name__ == "__main__":
    print(types_page(), end="")
