"""What travels between tap, mapper and target inside Singer messages.

Two wires share one shape. On both, a SCHEMA carries the keyword ``x-sweo`` at its top
(``StreamNote``) and on each property (a field's type, see ``crosswalk.values``); a RECORD
carries its values by field name and ``_source`` (``Source``) last.

- tap → mapper: properties are the source's field names, values as the API gave them.
- in a full check both carry, besides, what the source holds of fields that flow to it only;
  behind the mapper it stands in ``_held: {field: value}``, by the source's names, canonical.
- mapper → target: properties are the destination's field names, values canonical; a value
  that could not be parsed is named in ``_refused`` and absent. A parent is
  ``_parent: {"mapping": name, "source_id": id or null}``; the match values stand in
  ``_match: [value, …]`` in the mapping's order of preference, normalised, null where empty.

A field that was not read is absent. Absent means unknown; ``null`` means empty.
"""

from __future__ import annotations

from typing import Final

import msgspec

KEYWORD: Final = "x-sweo"
SOURCE: Final = "_source"
REFUSED: Final = "_refused"
PARENT: Final = "_parent"
MATCH: Final = "_match"
HELD: Final = "_held"

RUN: Final = "run"
"""In a bookmark: the run whose target let this STATE out. A ledger that does not know it is older
than STATE.
"""


class Source(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=False):
    """Where a record came from and how fresh it is. All times are ISO 8601 in UTC, ``…Z``.

    ``modified_at`` is the record's own time of last change by a person or an integration:
    Salesforce ``LastModifiedDate``, Sweo ``updated_at``.
    ``read_at`` is a moment, by the clock of the source's server, at which the record surely
    looked like this: the start of the request for a row or a query, ``updated_at`` itself for
    what came from an index (search, scroll), because an index runs minutes behind.
    ``revisit`` holds the numbers of the revisit entries that this reading serves.
    ``backfill`` marks a reading that no change brought about.
    ``modified_by`` is the vendor's id of who made the last change, where the API tells.
    ``becomes`` is the id of the contact that a converted lead became.
    ``outside`` marks a record that a filter leaves out; it carries nothing else.
    """

    id: str
    modified_at: str
    read_at: str
    deleted: bool = False
    revisit: list[int] = []
    backfill: bool = False
    modified_by: str | None = None
    merged_into: str | None = None
    becomes: str | None = None
    outside: bool = False


class StreamNote(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=False):
    """``schema["x-sweo"]``: what a target must know of a stream besides its fields.

    ``side`` is where the records come from; ``instance`` the org's or workspace's id, null
    where it is not known yet; ``timezone`` the workspace's IANA zone, told by tap-sweo.
    ``full`` says that this read covers every record (the first one, or a full check): when the
    stream ends (``whole`` in its bookmark) the target notes that the side was read whole.
    ``skew_seconds`` is the server's clock minus this machine's.
    ``dated`` is False where the source cannot say when a record looked like this, nor show it
    again when asked (a foreign tap): its records are taken in their order.
    ``check`` says that this is a full check, which looks for drift too (``_held``).
    ``events`` says that the records are data events: ``name``, ``metadata`` and a ``_source`` with
    the person's id and the event's time. A mapper passes them on as they are.
    """

    mapping: str
    side: str
    object: str
    instance: str | None = None
    timezone: str | None = None
    full: bool = False
    skew_seconds: float = 0.0
    dated: bool = True
    check: bool = False
    events: bool = False
