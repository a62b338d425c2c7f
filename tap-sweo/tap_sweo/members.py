"""The filter of a mapping (``only.sweo``): which records the tap emits."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from crosswalk.mapping import Mapping
from sweo_client import SweoClient
from sweo_client.fields import COMPANY, model_of
from sweo_client.segments import Ids, all_ids, contacts_inside, is_inside


class Members:
    """Those in one of the mapping's segments; everyone where it names none.

    A company's row shows its segments. Contacts show none: a search is narrowed to the members,
    and those that are read by id are asked about.
    """

    def __init__(
        self, client: SweoClient, mapping: Mapping, segments: Ids, concurrency: int
    ) -> None:
        self._client = client
        self._names = mapping.only.segments
        self._segments = segments
        self._concurrency = concurrency
        self.must_be_asked_for = bool(self._names) and model_of(mapping.sweo) != COMPANY
        """Whether a row does not tell by itself that it is a member's."""

    @property
    def search_ids(self) -> list[str]:
        """The segments that a search for contacts is narrowed to."""
        return all_ids(self._segments) if self.must_be_asked_for else []

    def lets_in(self, row: dict[str, Any]) -> bool:
        """Whether a company's row is a member's; a contact's row comes from a narrowed search."""
        return not self._names or self.must_be_asked_for or is_inside(row, self._names)

    def among(self, ids: Collection[str]) -> set[str]:
        """Which of these may be members: contacts are asked about, of companies the row tells."""
        if not self.must_be_asked_for:
            return set(ids)
        return contacts_inside(self._client, ids, self._segments, concurrency=self._concurrency)


def remembered(mapping: Mapping, kept: object) -> Ids | None:
    """The ids of the mapping's segments as a bookmark keeps them; None where it has others."""
    if isinstance(kept, dict) and set(kept) == set(mapping.only.segments):
        return kept
    return None if mapping.only.segments else {}


def has_changed(mapping: Mapping, kept: object) -> bool:
    """Whether the last read was narrowed to other segments than the mapping names now."""
    names: Iterable[str] = kept if isinstance(kept, dict) else ()
    return set(names) != set(mapping.only.segments)
