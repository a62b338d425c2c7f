"""How far a tap has come, told to whoever started it.

A tap's messages go to a target and its log to a person, so that a program which shows progress
needs a place of its own: a file of one JSON object a line. Such a line holds
``mapping``, ``read`` and ``total`` (records of this full check so far, and those that are listed)
and ``checked`` (the mapping is through); or
``check`` (when the full check began) with ``ended`` and ``rests`` (none is due yet); or
``calls`` (metered API calls of this run so far).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from singer_sdk import typing as th

PROGRESS_SETTING: th.Property[Any] = th.Property(
    "progress_file",
    th.StringType,
    title="Progress file",
    description="Where the tap appends how far it has come and what it cost, one JSON object a "
    "line, for a program that shows it.",
)


class Progress:
    """Appends to the file, which may be read at any time; does nothing without one."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None

    @property
    def is_followed(self) -> bool:
        """Whether anybody asked to be told."""
        return self._path is not None

    def tell(self, **line: object) -> None:
        """Append one line."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
