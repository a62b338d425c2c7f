"""Segments: which there are, and who belongs to them.

A company shows its segments; a contact does not: it is asked for one by one, or searched for.
Membership moves with time, and moves no ``updated_at``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping as MappingOf, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote

from crosswalk.errors import FatalError
from crosswalk.mapping import Mapping, Side

from sweo_client.client import SweoClient
from sweo_client.errors import SweoRefusal
from sweo_client.query import PAGE_SIZE, contacts_among, segments

FRESH_LOOKS: Final = 25
"""So many contacts are asked about one by one, as they are now; more are searched for, 150 a
call, in an index that runs minutes behind.
"""

Ids = MappingOf[str, Sequence[str]]
"""Ids of segments by their name; users and leads may have segments of one name."""


class UnknownSegmentsError(FatalError):
    """The field configs name segments that the workspace does not have."""


def segment_ids(client: SweoClient, model: str) -> Ids:
    """Every segment of companies or of contacts, in one call."""
    known: dict[str, list[str]] = {}
    for row in segments(client, model):
        known.setdefault(str(row["name"]), []).append(str(row["id"]))
    return known


def chosen(mapping: Mapping, known: Ids) -> Ids:
    """The segments that a mapping names, out of those there are.

    Raises:
        UnknownSegmentsError: some do not exist; the sentence lists those that do.
    """
    names = mapping.only.segments
    missing = [name for name in names if name not in known]
    if missing:
        raise UnknownSegmentsError(
            f"{mapping.only.place(mapping.name, Side.SWEO)}: Sweo has no segment "
            f"{', '.join(missing)}; there {_listed(list(known))}."
        )
    return {name: known[name] for name in names}


def _listed(names: Sequence[str]) -> str:
    return f"are {', '.join(names)}" if names else "is none"


def is_inside(company: MappingOf[str, Any], names: Collection[str]) -> bool:
    """Whether a company's record shows it in one of the segments."""
    shown = (company.get("segments") or {}).get("segments") or []
    return any(segment.get("name") in names for segment in shown)


def contacts_inside(
    client: SweoClient, contact_ids: Iterable[str], ids: Ids, *, concurrency: int
) -> set[str]:
    """Which of these contacts are in one of the segments; one that is gone is in none."""
    wanted = list(dict.fromkeys(contact_ids))
    if len(wanted) > FRESH_LOOKS:
        inside: set[str] = set()
        for start in range(0, len(wanted), PAGE_SIZE):
            inside |= contacts_among(client, wanted[start : start + PAGE_SIZE], all_ids(ids))
        return inside
    if not wanted:
        return set()
    with ThreadPoolExecutor(max_workers=min(concurrency, len(wanted))) as pool:
        found = list(pool.map(lambda contact: _segments_of(client, contact), wanted))
    return {contact for contact, names in zip(wanted, found, strict=True) if names & ids.keys()}


def all_ids(ids: Ids) -> list[str]:
    """The ids of all the segments."""
    return [segment for each in ids.values() for segment in each]


def _segments_of(client: SweoClient, contact_id: str) -> set[str]:
    try:
        answer = client.read("GET", f"/contacts/{quote(contact_id, safe='')}/segments")
    except SweoRefusal as refusal:
        if refusal.status in (404, 410):
            return set()
        raise FatalError(f"Sweo did not tell a contact's segments ({refusal.code}).") from refusal
    return {str(segment["name"]) for segment in answer.body.get("data") or []}
