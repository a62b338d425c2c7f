"""SOQL texts: quoting, and SELECTs that fit into a URL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

MAX_URI_BYTES: Final = 16_384
"""Salesforce's limit for the address and headers of a request together."""
_ROOM_FOR_HEADERS: Final = 2_384
QUERY_BUDGET_BYTES: Final = MAX_URI_BYTES - _ROOM_FOR_HEADERS


def literal(value: str | bool | int | float | None) -> str:
    """A value as it stands in a WHERE clause."""
    from simple_salesforce.format import quote_soql_value  # loads zeep: only when a query is made

    return str(quote_soql_value(value))


def encoded_bytes(text: str) -> int:
    """How long a text becomes in a URL."""
    return len(quote(text, safe=""))


@dataclass(frozen=True, slots=True)
class Select:
    """A SELECT. ``where`` are conditions joined by AND, ``order_by`` plain field names."""

    sobject: str
    fields: tuple[str, ...]
    where: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()

    def text(self) -> str:
        """The query."""
        parts = ["SELECT", ", ".join(self.fields), "FROM", self.sobject]
        if self.where:
            parts += ["WHERE", " AND ".join(self.where)]
        if self.order_by:
            parts += ["ORDER BY", ", ".join(self.order_by)]
        return " ".join(parts)

    def unordered(self) -> Select:
        """The same for Bulk API 2.0, which takes no ORDER BY."""
        return Select(self.sobject, self.fields, self.where)

    def split(self, budget_bytes: int = QUERY_BUDGET_BYTES) -> tuple[Select, tuple[str, ...]]:
        """This query with as many fields, from the first on, as a URL holds, and those left.

        Related fields go first: what is left is read by id, which reaches own fields only.
        """
        if encoded_bytes(self.text()) <= budget_bytes:
            return self, ()
        ordered = sorted(self.fields, key=lambda name: (name != "Id", "." not in name))
        room = budget_bytes - encoded_bytes(
            Select(self.sobject, (), self.where, self.order_by).text()
        )
        taken: list[str] = []
        for name in ordered:
            room -= encoded_bytes(f", {name}")
            if room < 0 and taken:
                break
            taken.append(name)
        fits = set(taken)
        kept = tuple(name for name in self.fields if name in fits)
        left = tuple(name for name in self.fields if name not in fits)
        return Select(self.sobject, kept, self.where, self.order_by), left


def in_batches(
    field: str, values: Iterable[str], *, taken_bytes: int, most: int = 2_000
) -> Iterator[tuple[str, Sequence[str]]]:
    """``field IN (…)`` conditions, each short enough for a URL, with the values they hold.

    ``taken_bytes`` is what the rest of the query needs; ``most`` caps the values of one
    condition so that unique ones fit on a page.
    """
    room = QUERY_BUDGET_BYTES - taken_bytes - encoded_bytes(f"{field} IN ()")
    batch: list[str] = []
    quoted: list[str] = []
    used = 0
    for value in dict.fromkeys(values):
        text = literal(value)
        size = encoded_bytes(f"{text},")
        if batch and (used + size > room or len(batch) >= most):
            yield f"{field} IN ({','.join(quoted)})", batch
            batch, quoted, used = [], [], 0
        batch.append(value)
        quoted.append(text)
        used += size
    if batch:
        yield f"{field} IN ({','.join(quoted)})", batch
