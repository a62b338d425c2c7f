"""Who is in the segments that a mapping names (``only.sweo``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crosswalk.mapping import Mapping
from sweo_client import SweoClient
from sweo_client.fields import COMPANY, model_of, role_of
from sweo_client.query import (
    Page,
    records_by_id,
    scroll_companies,
    search_companies,
    search_contacts,
)
from sweo_client.segments import Ids, all_ids, chosen, contacts_inside, is_inside, segment_ids


class Membership:
    """The segments of every mapping that was prepared."""

    def __init__(self, client: SweoClient, concurrency: int) -> None:
        self._client = client
        self._concurrency = concurrency
        self._ids: dict[str, Ids] = {}

    def prepare(self, mapping: Mapping) -> None:
        """Look the mapping's segments up, in one call where it names any.

        Raises:
            UnknownSegmentsError: some do not exist.
        """
        if mapping.only.segments and mapping.name not in self._ids:
            known = segment_ids(self._client, model_of(mapping.sweo))
            self._ids[mapping.name] = chosen(mapping, known)

    def inside(self, mapping: Mapping, ids: Sequence[str]) -> set[str]:
        """Which of these records are in one of the segments now: a company's own record shows
        it, for one call each; contacts are asked about, or searched for where they are many.
        """
        if model_of(mapping.sweo) != COMPANY:
            segments = self._ids[mapping.name]
            return contacts_inside(self._client, ids, segments, concurrency=self._concurrency)
        found = records_by_id(self._client, COMPANY, ids, concurrency=self._concurrency)
        return {
            record_id
            for record_id, lookup in found
            if lookup.record is not None and is_inside(lookup.record, mapping.only.segments)
        }

    def members(self, mapping: Mapping) -> Iterator[Page]:
        """Pages of every record that the mapping lets in: by search, companies of numbered
        versions by the scroll.
        """
        if model_of(mapping.sweo) != COMPANY:
            ids = all_ids(self._ids.get(mapping.name, {}))
            yield from search_contacts(
                self._client, None, role=role_of(mapping.sweo), segment_ids=ids
            )
            return
        pages = (
            search_companies(self._client, None)
            if self._client.settings.is_preview
            else scroll_companies(self._client)
        )
        names = mapping.only.segments
        for page in pages:
            yield [row for row in page if is_inside(row, names)] if names else page
