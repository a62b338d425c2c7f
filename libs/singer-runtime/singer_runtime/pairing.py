"""Finding the other half of a record that is not linked yet.

Both pipelines see every changed record. One without a half waits in the ledger under its key;
when a record with that key comes by on the other side, the two are linked without a call. Only
where the other pipeline never finished a full read are the other side's keys read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from crosswalk.ledger import Link, Waiter
from crosswalk.ledger.clock import parse_stamp
from crosswalk.ledger.commit import Commit, WaitingRow
from crosswalk.mapping import Side
from crosswalk.match import normalise

from singer_runtime.context import RunContext
from singer_runtime.creating import Creating
from singer_runtime.destination import Candidate
from singer_runtime.incoming import Incoming
from singer_runtime.plan import Pair
from singer_runtime.rules import RuleBook

_KEYS_LAST = timedelta(hours=24)
_KEYS_LAST_IN_AN_IMPORT = timedelta(hours=1)
_KEYS_A_COMMIT = 5_000


class Pairing:
    """Links, creates or lets wait: one decision for every unlinked record of a stream."""

    def __init__(self, run: RunContext, book: RuleBook) -> None:
        self.run = run
        self.book = book
        self.mapping = book.mapping
        self.creating = Creating(run, book, self)
        self.created: list[Pair] = []
        """Pairs made in this batch, whose fields are settled and whose parents are not."""

    def pair(self, unmatched: Sequence[Incoming], batch: Commit) -> list[Pair]:
        """Find halves; returns new pairs, to be exchanged like any other.

        A backfill concerns linked records only; anything else that waits, waits on.
        """
        unmatched = [each for each in unmatched if not each.backfill]
        if not unmatched:
            return []
        pairs, unmatched = self._reopened(unmatched)
        keyed: list[Incoming] = []
        for each in sorted(unmatched, key=lambda e: e.modified_at, reverse=True):
            if any(each.keys):
                keyed.append(each)
            else:
                self.run.counts.without_key += 1
        if not keyed:
            return pairs
        self._read_keys_once()
        left: list[Incoming] = []
        for place in range(len(self.mapping.match)):
            left = []
            pairs += self._by_key(keyed, place, left, batch)
            keyed = left
        closed = self.run.ledger.closed_links(
            self.mapping.name, self.run.x, [each.id for each in left]
        )
        lonely = [each for each in left if each.id not in closed]
        if self.book.may_create and lonely:
            pairs += self.creating.create(lonely, batch)
            left = [each for each in left if each.id in closed]
        for each in left:
            self.wait(each, batch)
        return pairs

    def _reopened(self, unmatched: Sequence[Incoming]) -> tuple[list[Pair], list[Incoming]]:
        """Records that came back from the recycle bin take up their old link."""
        closed = self.run.ledger.closed_links(
            self.mapping.name, self.run.x, [each.id for each in unmatched]
        )
        pairs: list[Pair] = []
        others: list[Incoming] = []
        for each in unmatched:
            link = closed.get(each.id)
            if link is not None and link.closed == f"deleted on {self.run.x.value}":
                opened = self.open(each, link.id_on(self.run.y), None)
                if opened is not None:
                    pairs.append(opened)
                    continue
            others.append(each)
        return pairs, others

    def open(self, incoming: Incoming, y_id: str, key_hash: str | None) -> Pair | None:
        """Link a record with a half; None where that half, or the record, is taken."""
        ids = {self.run.x: incoming.id, self.run.y: y_id}
        link = self.run.writer.open_link(
            self.mapping.name,
            ids[Side.SALESFORCE],
            ids[Side.SWEO],
            self.run.run_id,
            key_hash,
        )
        if link is None:
            return None
        self.run.counts.linked += 1
        return Pair(incoming, link, is_new=True)

    # keys

    def _read_keys_once(self) -> None:
        """Read Y's keys where the other pipeline cannot have told them."""
        run, name = self.run, self.mapping.name
        if self.book.only_reads:
            return
        whole_at, _ = run.ledger.progress(run.opposite, name)
        _, keys_read_at = run.ledger.progress(run.direction, name)
        if whole_at is not None and not run.importing:
            return
        lasts = _KEYS_LAST_IN_AN_IMPORT if run.importing else _KEYS_LAST
        if keys_read_at and run.ledger.clock() - parse_stamp(keys_read_at) < lasts:
            return
        started = run.ledger.now()
        rows: list[WaitingRow] = []
        for candidate in run.destination.keys(self.mapping):
            rows += self._waiting_rows(run.y, candidate)
            if len(rows) >= _KEYS_A_COMMIT:
                self._put_keys(rows)
                rows = []
        self._put_keys(rows)
        run.ledger.note_progress(run.direction, name, keys_read_at=started)

    def _put_keys(self, rows: list[WaitingRow]) -> None:
        linked = self.run.ledger.links(
            self.mapping.name, self.run.y, [row.record_id for row in rows]
        )
        free = [row for row in rows if row.record_id not in linked]
        self.run.writer.commit(
            Commit(self.run.direction, self.mapping.name, self.run.run_id, waiting=free)
        )

    def _waiting_rows(self, side: Side, candidate: Candidate) -> list[WaitingRow]:
        rows = []
        for place, (value, match) in enumerate(
            zip(candidate.keys, self.mapping.match, strict=True)
        ):
            key = normalise(value, match.normalise)
            if key is not None:
                rows.append(
                    WaitingRow(
                        mapping=self.mapping.name,
                        side=side,
                        record_id=candidate.id,
                        place=place,
                        modified_at=candidate.modified_at,
                        key_hash=self._hash(place, key),
                        rank=candidate.rank,
                    )
                )
        return rows

    def main_hash(self, each: Incoming) -> str | None:
        """The hash of the record's first key."""
        return next((self._hash(p, key) for p, key in enumerate(each.keys) if key), None)

    def _hash(self, place: int, key: str) -> str:
        return self.run.hashes.of_key(f"{place}:{key}")

    def _by_key(
        self, keyed: Sequence[Incoming], place: int, left: list[Incoming], batch: Commit
    ) -> list[Pair]:
        """Link by one match field; ``keyed`` has the most recently updated first."""
        hashes = {
            each.id: self._hash(place, each.keys[place] or "")
            for each in keyed
            if place < len(each.keys) and each.keys[place]
        }
        wanted = sorted(set(hashes.values()))
        waiters = self.run.ledger.waiters(self.mapping.name, self.run.y, place, wanted)
        holders = self.run.ledger.links_by_key(self.mapping.name, wanted)
        taken: set[str] = set()
        pairs: list[Pair] = []
        for each in keyed:
            key_hash = hashes.get(each.id)
            if key_hash is None:
                left.append(each)
                continue
            pair = None
            if key_hash not in taken:
                pair = self._link(each, key_hash, waiters.get(key_hash, []), batch)
                if pair is None and key_hash in holders:
                    pair = self._supersede(each, key_hash, place, holders[key_hash], batch)
            if pair is not None:
                taken.add(key_hash)
                pairs.append(pair)
            elif key_hash in taken or key_hash in holders:
                self.run.counts.duplicates += 1
                self.wait(each, batch)
            else:
                left.append(each)
        return pairs

    def _link(
        self, each: Incoming, key_hash: str, waiters: Sequence[Waiter], batch: Commit
    ) -> Pair | None:
        for waiter in waiters:
            pair = self.open(each, waiter.record_id, key_hash)
            if pair is not None:
                self.linked(pair, batch)
                return pair
        return None

    def _supersede(
        self, each: Incoming, key_hash: str, place: int, holder: Link, batch: Commit
    ) -> Pair | None:
        """Of several records with one key the most recently updated is linked.

        A tap emits oldest first, so within a run the later record is the more recent one. A link
        of an earlier run is remembered and stays.
        """
        if holder.run_id != self.run.run_id or each.revisit:
            return None
        self.run.writer.close_link(holder, "superseded")
        pair = self.open(each, holder.id_on(self.run.y), key_hash)
        if pair is None:
            return None
        self.run.counts.linked -= 1
        self.run.counts.duplicates += 1
        batch.waiting.append(
            WaitingRow(
                mapping=self.mapping.name,
                side=self.run.x,
                record_id=holder.id_on(self.run.x),
                place=place,
                modified_at=each.modified_at,
                key_hash=key_hash,
            )
        )
        self.linked(pair, batch)
        return pair

    def linked(self, pair: Pair, batch: Commit) -> None:
        """Take a new pair off the waiting list and call the children that waited for it."""
        for side in Side:
            batch.no_longer_waiting.append((side, pair.link.id_on(side)))
        batch.parents_linked.append((self.mapping.name, pair.link.salesforce_id))

    def wait(self, each: Incoming, batch: Commit) -> None:
        """Let a record wait under its keys."""
        self.run.counts.waiting += 1
        candidate = Candidate(each.id, tuple(each.keys), each.modified_at)
        batch.waiting += self._waiting_rows(self.run.x, candidate)
