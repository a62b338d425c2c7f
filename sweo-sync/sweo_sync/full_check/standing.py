"""How far a full check has come, as its taps tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Checked:
    """One mapping: records read so far, those that are listed, and whether it is through.

    ``began_at`` is what ``read`` was when this command began to watch; None where nothing was told
    yet.
    """

    read: int = 0
    total: int | None = None
    checked: bool = False
    began_at: int | None = None

    @property
    def looks_for_the_rest(self) -> bool:
        """Whether everything listed was read, and linked records that no list shows are left."""
        return not self.checked and self.total is not None and self.read >= self.total


@dataclass(slots=True)
class Standing:
    """One direction. ``mappings`` are by name, in the order in which they are read.

    ``began`` is when the check began, which may have been in another run. ``ended`` says that it is
    through.
    """

    direction: str
    mappings: dict[str, Checked] = field(default_factory=dict)
    began: str | None = None
    ended: bool = False

    def take(self, line: dict[str, Any]) -> None:
        """Take over one line of a tap's progress file."""
        if "check" in line:
            self.began, self.ended = line["check"], line["ended"]
        if "mapping" in line:
            found = self.mappings.setdefault(line["mapping"], Checked())
            if found.began_at is None:
                found.began_at = line["read"]
            found.read, found.checked = line["read"], line["checked"]
            found.total = max(line["total"] or 0, found.read) if line["total"] else None

    @property
    def marks(self) -> tuple[object, ...]:
        """What changes whenever the check moves on."""
        return (self.ended, *((each.read, each.checked) for each in self.mappings.values()))


class ProgressFile:
    """A tap's progress file, read on from where the last look stopped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def news(self) -> list[dict[str, Any]]:
        """The whole lines that are new."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._at)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._at += len(whole) + len(newline)
        return [json.loads(line) for line in whole.splitlines()]
