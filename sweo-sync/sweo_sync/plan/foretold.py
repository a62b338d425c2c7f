"""What the targets said that they would do."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from crosswalk.errors import FatalError

_PLANNED: Final = "planned-"
"""How the id of a record begins that would be made."""
_CHANGING: Final = (
    *("created", "updated", "linked", "attached", "unlinked", "agreed"),
    *("converted", "events"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one record: from what to what. ``old`` is None where it was not read, the id
    of a record that would be made is None.
    """

    mapping: str
    salesforce_id: str | None
    sweo_id: str | None
    field: str
    side: str
    old: Any
    new: Any
    outcome: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Two records that would find each other."""

    mapping: str
    salesforce_id: str
    sweo_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A record or a field that would stand in quarantine."""

    mapping: str
    source_id: str
    field: str
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Held:
    """A field that would wait for a decision, or a conflict that a policy would decide."""

    mapping: str
    reason: str
    status: str
    salesforce: Any
    sweo: Any


@dataclass(slots=True)
class Foretold:
    """One direction. ``counts`` have the names of the run's counts in the ledger.

    ``tap_calls`` are reads of the tap's side, ``read_calls`` and ``write_calls`` those of the side
    that is written to.
    """

    direction: str
    counts: dict[str, int] = field(default_factory=dict)
    tap_calls: int = 0
    read_calls: int = 0
    write_calls: int = 0
    changes: list[Change] = field(default_factory=list)
    linked: list[Linked] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @property
    def changes_anything(self) -> bool:
        """Whether a record or a link would change."""
        return bool(self.changes or self.held) or any(self.counts.get(n) for n in _CHANGING)

    def by_field(self) -> list[tuple[str, str, str, int]]:
        """Mapping, field, outcome, and how many records: the most first."""
        counted = Counter((c.mapping, c.field, c.outcome) for c in self.changes)
        return [(*key, count) for key, count in counted.most_common()]


def read_plan(file: Path, progress_file: Path, direction: str) -> Foretold:
    """Read what a dry run and its tap wrote.

    Raises:
        FatalError: the run did not say that it was dry.
    """
    foretold = Foretold(direction)
    told = False
    for row in _rows(file):
        kind = row.pop("kind")
        if kind == "change":
            foretold.changes.append(
                Change(
                    mapping=row["mapping"],
                    salesforce_id=_id(row["salesforce_id"]),
                    sweo_id=_id(row["sweo_id"]),
                    field=row["field"],
                    side=row["side"],
                    old=_value(row["old"]),
                    new=_value(row["new"]),
                    outcome=row["outcome"],
                )
            )
        elif kind == "link":
            foretold.linked.append(Linked(**row))
        elif kind == "quarantine":
            names = ("mapping", "source_id", "field", "code", "message", "remedy")
            foretold.refused.append(Refused(*(row[name] for name in names)))
        elif kind == "conflict":
            values = _value(row["salesforce"]), _value(row["sweo"])
            foretold.held.append(Held(row["mapping"], row["reason"], row["status"], *values))
        elif kind == "summary":
            told = True
            foretold.counts = dict(row["counts"])
            foretold.read_calls, foretold.write_calls = row["read_calls"], row["write_calls"]
    if not told:
        raise FatalError(
            f"The target of {direction} ended without a plan; look at the ledger's log "
            "(`sweo-sync log`) for whether it wrote."
        )
    for row in _rows(progress_file):
        foretold.tap_calls = row.get("calls", foretold.tap_calls)
    return foretold


def _rows(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _id(text: str | None) -> str | None:
    """A record that does not exist yet has none; the dry run gave it a name of its own."""
    return None if text is None or text.startswith(_PLANNED) else text


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
