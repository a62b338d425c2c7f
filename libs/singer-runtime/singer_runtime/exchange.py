"""The exchange of one batch: what differs is read afresh, merged, written and committed.

The order never varies: intents are put down, the other side is written, the ledger commits what
was written. Only then may STATE pass (see ``singer_runtime.target``).
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf, Sequence

from crosswalk.errors import SyncError
from crosswalk.fieldtype import FieldType
from crosswalk.ledger import IntendedField, Intent, Link, Quarantined
from crosswalk.ledger.commit import Commit, RevisitRow
from crosswalk.mapping import Mapping
from crosswalk.merge import ABSENT
from crosswalk.wire import SOURCE, StreamNote

from singer_runtime.context import RunContext
from singer_runtime.conversions import Conversions
from singer_runtime.destination import Outcome, Presence, Reading, Result, Write
from singer_runtime.doubts import settle_doubts
from singer_runtime.drift import Drift
from singer_runtime.endings import Endings
from singer_runtime.filters import Filters
from singer_runtime.incoming import Incoming, Record, newest_of_each, unpack
from singer_runtime.introducing import introduce
from singer_runtime.limits import Gate
from singer_runtime.outcomes import Bookkeeper
from singer_runtime.pairing import Pairing
from singer_runtime.parents import Parents
from singer_runtime.pingpong import hold_ping_pong
from singer_runtime.plan import Pair, PairPlan, Planner
from singer_runtime.reviews import Reviews
from singer_runtime.rules import RuleBook

BATCH_RECORDS = 2_000
"""As many ids as Salesforce reads in one call."""

_MATTERS_BY_ITSELF = ("revisit", "deleted", "outside", "becomes")
"""What makes a record matter although its values are as they were."""

ROUNDS = 3
"""How often a pair is planned anew in one batch, where somebody edits it meanwhile."""


class PausedError(SyncError):
    """A person paused the mapping; the run ends cleanly with what is committed."""


class StreamExchange:
    """Exchanges the records of one mapping, batch by batch."""

    def __init__(
        self,
        run: RunContext,
        mapping: Mapping,
        note: StreamNote,
        incoming: MappingOf[str, FieldType],
    ) -> None:
        self.run = run
        self.mapping = mapping
        self.book = RuleBook(run, mapping, note, incoming)
        self.planner = Planner(self.book)
        self.pairing = Pairing(run, self.book)
        self.endings = Endings(run, self.book, self.pairing)
        self.parents = Parents(run, self.book)
        self.filters = Filters(run, self.book, self.parents)
        self.conversions = Conversions(self.book)
        self.reviews = Reviews(self.book)
        self.drift = Drift(run, mapping) if note.check else None
        self._quarantined = run.ledger.quarantined(run.direction, mapping.name)
        self._gate = Gate(run.limits, self.book) if run.limits else None

    @property
    def holds(self) -> bool:
        """Whether records wait for the end of the stream, so that no STATE may pass them."""
        return self._gate is not None and bool(self._gate.held)

    def finish(self) -> None:
        """The stream has ended within its limits: exchange what was held back."""
        if self.drift is not None:
            self.drift.tell()
        if self._gate is None:
            return
        for held in self._gate.take(BATCH_RECORDS):
            batch = self._new_batch()
            self._exchange(held, batch)
            self.run.writer.commit(batch)

    def process(self, records: Sequence[Record]) -> None:
        """Exchange one batch and commit it.

        Raises:
            FatalError: nothing more can be done by this run.
            RetryLaterError: the next run may go on from here.
        """
        run, counts = self.run, self.run.counts
        self._stop_where_paused()
        batch = self._new_batch()
        counts.read += len(records)
        fresh = newest_of_each(records)
        if self.drift is not None:
            self.drift.look(fresh)
        ids = [record[SOURCE]["id"] for record in fresh]
        digests = run.ledger.digests(self.mapping.name, run.x, ids)
        doubts = run.ledger.open_intents(self.mapping.name)
        todo: list[Incoming] = []
        for record in fresh:
            source = record.pop(SOURCE)
            digest = run.hashes.of_reading(record)
            known = digests.get(source["id"])
            asked_for = any(source.get(why) for why in _MATTERS_BY_ITSELF)
            if known and known[1] == digest and not asked_for and known[0] not in doubts:
                counts.unchanged += 1
                continue
            record[SOURCE] = source
            todo.append(unpack(record, digest))
        todo, left_out = self.filters.admit(ids, todo, batch)
        for each in left_out:
            self._heal(each.id, batch)
        if todo and self._gate is not None:
            ids = [each.id for each in todo]
            self._gate.hold(todo, run.ledger.links(self.mapping.name, run.x, ids))
        elif todo:
            self._exchange(todo, batch)
        run.writer.commit(batch)

    def _new_batch(self) -> Commit:
        return Commit(
            self.run.direction, self.mapping.name, self.run.run_id, can_ask=self.book.note.dated
        )

    def _stop_where_paused(self) -> None:
        paused = self.run.ledger.paused()
        if paused & {self.mapping.name, "*"}:
            raise PausedError(
                f"The mapping {self.mapping.name} is paused; `sweo-sync resume` lets it go on."
            )

    def _exchange(self, todo: Sequence[Incoming], batch: Commit) -> None:
        run = self.run
        doubts = run.ledger.open_intents(self.mapping.name)
        links = run.ledger.links(self.mapping.name, run.x, [each.id for each in todo])
        pairs: list[Pair] = []
        unmatched: list[Incoming] = []
        for each in todo:
            batch.revisited += each.revisit
            link = links.get(each.id)
            if each.deleted:
                self.endings.deleted(each, link, batch)
            elif each.becomes:
                self.conversions.convert(each, link, batch)
            elif link is None or self.endings.rematched(each, link, batch):
                unmatched.append(each)
            else:
                pairs.append(self._pair(each, link, batch))
        self.endings.carry_out(batch)
        pairs = settle_doubts(self.book, pairs, doubts, batch)
        pairs += self.pairing.pair(unmatched, batch)
        self.exchange_pairs(pairs, batch)
        self.parents.attach(self.pairing.created, batch)
        self.pairing.created.clear()

    def _pair(self, each: Incoming, link: Link, batch: Commit) -> Pair:
        # A link is opened in a transaction of its own. Where the run died before the batch was
        # committed, nobody has been told of it yet: it still counts as new.
        pair = Pair(each, link, is_new=link.version == 1)
        if pair.is_new:
            self.pairing.linked(pair, batch)
        return pair

    def exchange_pairs(self, pairs: Sequence[Pair], batch: Commit) -> None:
        """Merge and write linked records; what nobody could finish goes on the revisit list."""
        if self.book.only_reads:
            introduce(self.book, pairs, batch)
            return
        books = Bookkeeper(self.book, batch)
        verdicts = self.run.ledger.verdicts([pair.link.id for pair in pairs])
        differing: list[Pair] = []
        for pair in self.reviews.admit(pairs, batch):
            pair.verdicts = verdicts.get(pair.link.id, {})
            if self.planner.is_stale(pair):
                self._defer(pair, "stale reading", batch)
            elif self._differs(pair):
                differing.append(pair)
            else:
                self._uneventful(pair, batch)
        if not differing:
            return
        self.book.prepare()
        for _ in range(ROUNDS):
            differing = self._round(differing, books, batch)
            if not differing:
                return
        for pair in differing:
            self._defer(pair, "not sent", batch)

    def _differs(self, pair: Pair) -> bool:
        return bool(
            self.planner.changed_rules(pair)
            or pair.incoming.refused
            or self.parents.differs(pair)
            or pair.moves_in_doubt
            or pair.contested
            or pair.is_new
        )

    def _uneventful(self, pair: Pair, batch: Commit) -> None:
        self.run.counts.unchanged += 1
        pair.link.digest[self.run.x] = pair.incoming.digest
        batch.digests.append((pair.link, self.run.x))
        self._heal(pair.incoming.id, batch)

    def _heal(self, source_id: str, batch: Commit) -> None:
        if source_id in self._quarantined:
            batch.healed.append(source_id)
            self._quarantined.discard(source_id)

    def _defer(self, pair: Pair, reason: str, batch: Commit) -> None:
        self.run.counts.deferred += 1
        batch.revisits.append(
            RevisitRow(self.run.direction, self.mapping.name, pair.incoming.id, reason)
        )

    def _round(self, pairs: Sequence[Pair], books: Bookkeeper, batch: Commit) -> list[Pair]:
        """Plan and write once; returns the pairs that have to be planned anew."""
        readable = self._read(pairs, batch)
        self.conversions.inherit(readable)
        plans = [self.planner.decide(pair) for pair in readable]
        hold_ping_pong(self.book, plans)
        plans, left_out = self.filters.judge(plans, batch)
        for each in left_out:
            self._heal(each.id, batch)
        plans = self.reviews.judge(plans, batch)
        writing = [plan for plan in plans if plan.writes]
        outcomes = self._write(writing)
        again: list[Pair] = []
        settled: list[Pair] = []
        doubtful: list[Pair] = []
        in_doubt: dict[int, list[Intent]] = {}
        for plan in plans:
            outcome = outcomes.get(plan.pair.link.id)
            if outcome is not None and outcome.result is Result.UNKNOWN and plan.intent:
                in_doubt[plan.pair.link.id] = [plan.intent]
                doubtful.append(plan.pair)
                continue
            if outcome is not None and self._must_plan_anew(plan, outcome):
                again.append(plan.pair)
                books.abandon(plan)
                continue
            if outcome is not None and outcome.result is Result.GONE:
                books.abandon(plan)
                self.endings.gone(plan.pair.incoming, plan.pair.link, None, batch)
                continue
            books.note(plan, outcome)
            if outcome is None or outcome.result is Result.WRITTEN:
                settled.append(plan.pair)
            if not plan.pair.quarantined and books.is_settled(outcome):
                self._heal(plan.pair.incoming.id, batch)
        self.parents.attach(settled, batch)
        return again + settle_doubts(self.book, doubtful, in_doubt, batch)

    def _must_plan_anew(self, plan: PairPlan, outcome: Outcome) -> bool:
        if outcome.result in (Result.CHANGED, Result.NOT_SENT):
            return True
        if outcome.result is not Result.REFUSED:
            return False
        named = {each.rule.name for each in plan.writes} & set(outcome.error_fields)
        if not named or len(named) == len(plan.writes):
            return False
        for name in named:
            self.planner.quarantine(
                plan.pair,
                name,
                outcome.error_code or "REFUSED",
                outcome.error_message or "The value was refused.",
                outcome.remedy,
            )
        return True

    def _read(self, pairs: Sequence[Pair], batch: Commit) -> list[Pair]:
        """Read Y afresh where a decision rests on it; drop pairs whose Y half is not there."""
        needed: dict[str, None] = {}
        to_read: list[Pair] = []
        for pair in pairs:
            rules = self.planner.needs_reading(pair)
            if rules or pair.is_new:
                to_read.append(pair)
                needed.update(dict.fromkeys(rule.name for rule in rules))
        if not to_read:
            return list(pairs)
        by_id = {pair.link.id_on(self.run.y): pair for pair in to_read}
        readings = self.run.destination.read(self.mapping, list(by_id), list(needed))
        absent: set[int] = set()
        for y_id, pair in by_id.items():
            pair.y = readings[y_id]
            if pair.y.presence is not Presence.THERE:
                absent.add(pair.link.id)
                self._not_there(pair, pair.y, batch)
        return [pair for pair in pairs if pair.link.id not in absent]

    def _not_there(self, pair: Pair, reading: Reading, batch: Commit) -> None:
        run = self.run
        if reading.presence is Presence.DELETED:
            self.endings.gone(pair.incoming, pair.link, reading.merged_into, batch)
            return
        run.counts.quarantined += 1
        batch.quarantined.append(
            Quarantined(
                mapping=self.mapping.name,
                source_id=pair.incoming.id,
                field="",
                code="NOT_VISIBLE",
                message=f"The linked {run.y.value} record cannot be seen.",
                remedy="Share the record with the integration user; if it was deleted, the link "
                "ends by itself when the deletion is read.",
            )
        )

    def _write(self, plans: Sequence[PairPlan]) -> dict[int, Outcome]:
        if not plans:
            return {}
        run = self.run
        intents = [self._intent(plan) for plan in plans]
        run.writer.put_intents(intents)
        writes: list[Write] = []
        for plan, intent in zip(plans, intents, strict=True):
            plan.intent = intent
            values = {each.rule.name: each.rendered.raw for each in plan.writes if each.rendered}
            merged = any(each.rule.two_way or each.rule.fills for each in plan.writes)
            guard = plan.pair.y.modified_at if run.guarded and merged and plan.pair.y else None
            writes.append(Write(plan.pair.link.id_on(run.y), values, guard))
        outcomes = run.destination.update(self.mapping, writes)
        return {plan.pair.link.id: outcome for plan, outcome in zip(plans, outcomes, strict=True)}

    def _intent(self, plan: PairPlan) -> Intent:
        pair, run = plan.pair, self.run
        fields = {
            each.rule.number or "": IntendedField(
                x=self.book.token(each.rule, each.v),
                old=None if each.y is ABSENT else each.y,
                to=each.rendered.held if each.rendered else None,
                old_known=each.y is not ABSENT,
            )
            for each in plan.writes
        }
        return Intent(
            id=0,
            link_id=pair.link.id,
            mapping=self.mapping.name,
            direction=run.direction,
            source_id=pair.incoming.id,
            run_id=run.run_id,
            fields=fields,
            put_at=(pair.y.read_at if pair.y else None) or run.ledger.now(),
        )
