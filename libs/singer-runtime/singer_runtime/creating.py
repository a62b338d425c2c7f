"""Making the missing half of a record, so that a lost answer never makes it twice.

Every create carries its key, and before it is sent the key is looked up directly. Its intent
stays open until the new record is linked.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf, Sequence
from typing import TYPE_CHECKING

from crosswalk.ledger import IntendedField, Intent, Quarantined
from crosswalk.ledger.clock import parse_stamp, seconds_of
from crosswalk.ledger.commit import ChangeRow, Commit, RevisitRow
from crosswalk.ledger.records import EVERY_FIELD
from crosswalk.mapping import Side
from crosswalk.values import Canonical, Refused, Rendered

from singer_runtime.context import RunContext
from singer_runtime.destination import Candidate, Creation, Outcome, Result
from singer_runtime.incoming import Incoming
from singer_runtime.plan import Pair
from singer_runtime.rules import Rule, RuleBook

if TYPE_CHECKING:
    from singer_runtime.pairing import Pairing

UNKNOWN_CREATE_SECONDS = 600.0
"""How long a create without an answer rests: an index shows what it made within minutes."""


class _Draft:
    """A record to be made: what each field is rendered to, and what was refused."""

    def __init__(self, incoming: Incoming) -> None:
        self.incoming = incoming
        self.fields: list[tuple[Rule, Rendered]] = []
        self.refused: list[Quarantined] = []
        self.intent: Intent | None = None


class Creating:
    """Creates records of one stream."""

    def __init__(self, run: RunContext, book: RuleBook, pairing: Pairing) -> None:
        self.run = run
        self.book = book
        self.mapping = book.mapping
        self.pairing = pairing

    def create(self, lonely: Sequence[Incoming], batch: Commit) -> list[Pair]:
        """Make the missing halves; returns pairs that turned out to exist already.

        ``lonely`` has the most recently updated first; one key is made once.
        """
        self.book.prepare()
        chosen: dict[str, Incoming] = {}
        for each in lonely:
            key = self.pairing.main_hash(each) or each.id
            if key in chosen:
                self.run.counts.duplicates += 1
                self.pairing.wait(each, batch)
            else:
                chosen[key] = each
        doubts = self._doubts(list(chosen.values()))
        rested = [e for e in chosen.values() if not self._must_rest(e, doubts, batch)]
        drafts = {each.id: self._draft(each) for each in rested}
        creations = {each.id: self._creation(drafts[each.id]) for each in rested}
        looked_for = [c for source_id, c in creations.items() if self._may_exist(source_id, doubts)]
        found = self.run.destination.find(self.mapping, looked_for) if looked_for else {}
        pairs: list[Pair] = []
        to_make: list[_Draft] = []
        for each in rested:
            candidates = found.get(each.id, [])
            pair = self._first_free(each, candidates, batch)
            if pair is not None:
                pairs.append(pair)
            elif candidates:
                self.run.counts.duplicates += 1
                self.pairing.wait(each, batch)
            else:
                to_make.append(drafts[each.id])
        return pairs + self._make(to_make, creations, batch)

    def _doubts(self, lonely: Sequence[Incoming]) -> dict[str, list[Intent]]:
        """Creates of an earlier run that nobody knows the end of, by source id."""
        run = self.run
        found: dict[str, list[Intent]] = {}
        for intent in run.ledger.create_intents(
            run.direction, self.mapping.name, [each.id for each in lonely]
        ):
            found.setdefault(intent.source_id, []).append(intent)
        return found

    def _may_exist(self, source_id: str, doubts: MappingOf[str, list[Intent]]) -> bool:
        """Whether the key must be looked up before the create.

        An import has just read every company's key, and a company's create is an upsert. One
        that no list shows, because it has no contact, is overwritten by it, as ``first_meeting``
        says that it would be after a look. Behind a filter not every key was read.
        """
        run, mapping = self.run, self.mapping
        upserts = run.y is Side.SWEO and mapping.sweo == "company"
        settled = mapping.first_meeting is run.x and source_id not in doubts
        return not (run.importing and upserts and settled) or mapping.only.limits(run.y)

    def _must_rest(
        self, each: Incoming, doubts: MappingOf[str, list[Intent]], batch: Commit
    ) -> bool:
        """A lead whose create got no answer is not looked for before an index can show it."""
        run = self.run
        intents = doubts.get(each.id, [])
        if self.mapping.sweo != "lead" or run.y is not Side.SWEO:
            batch.intents_done += intents
            return False
        now = run.ledger.clock()
        for intent in intents:
            age = (now - parse_stamp(intent.put_at)).total_seconds()
            if age < UNKNOWN_CREATE_SECONDS:
                batch.revisits.append(
                    RevisitRow(
                        run.direction,
                        self.mapping.name,
                        each.id,
                        "create in doubt",
                        UNKNOWN_CREATE_SECONDS - age,
                    )
                )
                run.counts.deferred += 1
                return True
        batch.intents_done += intents
        return False

    def _draft(self, each: Incoming) -> _Draft:
        draft = _Draft(each)
        for name, reason in each.refused.items():
            draft.refused.append(self._refusal(each, name, "UNREADABLE_VALUE", reason))
        for rule in [*self.book.rules, *self.book.at_create]:
            v = each.values.get(rule.name)
            if v is None:
                continue
            assert rule.render is not None  # noqa: S101 - the book is prepared by now
            try:
                draft.fields.append((rule, rule.render(v)))
            except Refused as refusal:
                draft.refused.append(self._refusal(each, rule.name, refusal.code, refusal.reason))
        return draft

    def _refusal(self, each: Incoming, name: str, code: str, reason: str) -> Quarantined:
        return Quarantined(
            mapping=self.mapping.name,
            source_id=each.id,
            field=name,
            code=code,
            message=reason,
            remedy=f"Change the value of {name} at its source, or map it to a field that takes it.",
        )

    def _creation(self, draft: _Draft) -> Creation:
        mapping, source_id = draft.incoming.parent or ("", None)
        parents = self.run.ledger.links(mapping, self.run.x, [source_id]) if source_id else {}
        parent = parents.get(source_id or "")
        return Creation(
            source_id=draft.incoming.id,
            values={rule.name: rendered.raw for rule, rendered in draft.fields},
            keys=tuple(draft.incoming.keys),
            parent_id=parent.id_on(self.run.y) if parent else None,
        )

    def _first_free(
        self, each: Incoming, candidates: Sequence[Candidate], batch: Commit
    ) -> Pair | None:
        newest = sorted(candidates, key=lambda c: seconds_of(c.modified_at), reverse=True)
        for candidate in sorted(newest, key=lambda c: c.rank):
            pair = self.pairing.open(each, candidate.id, self.pairing.main_hash(each))
            if pair is not None:
                self.pairing.linked(pair, batch)
                return pair
        return None

    def _make(
        self, drafts: Sequence[_Draft], creations: dict[str, Creation], batch: Commit
    ) -> list[Pair]:
        if not drafts:
            return []
        run = self.run
        for draft in drafts:
            draft.intent = self._intent(draft)
        run.writer.put_intents([draft.intent for draft in drafts if draft.intent])
        outcomes = run.destination.create(
            self.mapping, [creations[draft.incoming.id] for draft in drafts]
        )
        existing: list[Pair] = []
        for draft, outcome in zip(drafts, outcomes, strict=True):
            if outcome.result is Result.CREATED and outcome.id is not None:
                self._created(draft, outcome, outcome.id, batch)
            elif outcome.result is Result.EXISTS and outcome.id is not None:
                pair = self.pairing.open(
                    draft.incoming, outcome.id, self.pairing.main_hash(draft.incoming)
                )
                self._done(draft, batch)
                if pair is None:
                    run.counts.duplicates += 1
                    self.pairing.wait(draft.incoming, batch)
                else:
                    self.pairing.linked(pair, batch)
                    existing.append(pair)
            else:
                self._failed(draft, outcome, batch)
        return existing

    def _intent(self, draft: _Draft) -> Intent:
        return Intent(
            id=0,
            link_id=None,
            mapping=self.mapping.name,
            direction=self.run.direction,
            source_id=draft.incoming.id,
            run_id=self.run.run_id,
            fields={
                rule.number or "": IntendedField(
                    x=self.book.token(rule, draft.incoming.values[rule.name]),
                    old=None,
                    to=rendered.held,
                )
                for rule, rendered in draft.fields
            },
            put_at=self.run.ledger.now(),
        )

    def _done(self, draft: _Draft, batch: Commit) -> None:
        if draft.intent is not None:
            batch.intents_done.append(draft.intent)

    def _created(self, draft: _Draft, outcome: Outcome, y_id: str, batch: Commit) -> None:
        run, incoming = self.run, draft.incoming
        self._done(draft, batch)
        pair = self.pairing.open(incoming, y_id, self.pairing.main_hash(incoming))
        if pair is None:
            return
        run.counts.linked -= 1
        run.counts.created += 1
        self.pairing.linked(pair, batch)
        link = pair.link
        refused = {row.field for row in draft.refused}
        held = {rule.name: rendered.held for rule, rendered in draft.fields}
        for rule in [*self.book.rules, *self.book.at_create]:
            if rule.name not in incoming.values or rule.name in refused:
                continue
            now_held = outcome.answered.get(rule.name, held.get(rule.name))
            link.base[run.x][rule.number or ""] = self.book.token(rule, incoming.values[rule.name])
            link.base[run.y][rule.number or ""] = self.book.token(rule, now_held)
            if rule.name in held:
                run.counts.fields += 1
                batch.changes.append(self._change(pair, rule, held[rule.name]))
        link.rests_on(run.x, EVERY_FIELD, int(seconds_of(incoming.read_at)))
        if outcome.answered_at is not None:
            link.rests_on(run.y, EVERY_FIELD, int(seconds_of(outcome.answered_at)))
        link.written[run.y] = outcome.modified_at
        link.digest[run.x] = None if incoming.parent else incoming.digest
        batch.links.append(link)
        batch.quarantined += draft.refused
        run.counts.quarantined += len(draft.refused)
        self.pairing.created.append(pair)

    def _change(self, pair: Pair, rule: Rule, held: Canonical) -> ChangeRow:
        return ChangeRow(
            mapping=self.mapping.name,
            salesforce_id=pair.link.salesforce_id,
            sweo_id=pair.link.sweo_id,
            field=rule.name,
            side=self.run.y,
            old=None,
            new=held,
            outcome="created",
        )

    def _failed(self, draft: _Draft, outcome: Outcome, batch: Commit) -> None:
        run = self.run
        if outcome.result is Result.UNKNOWN:
            run.counts.deferred += 1
            batch.revisits.append(
                RevisitRow(run.direction, self.mapping.name, draft.incoming.id, "create in doubt")
            )
            return
        self._done(draft, batch)
        if outcome.result is Result.NOT_SENT:
            run.counts.deferred += 1
            batch.revisits.append(
                RevisitRow(run.direction, self.mapping.name, draft.incoming.id, "not sent")
            )
            return
        run.counts.quarantined += 1
        batch.quarantined.append(
            Quarantined(
                mapping=self.mapping.name,
                source_id=draft.incoming.id,
                field=outcome.error_fields[0] if len(outcome.error_fields) == 1 else "",
                code=outcome.error_code or "REFUSED",
                message=outcome.error_message or "The record could not be made.",
                remedy=outcome.remedy or "Mend the record at its source; it is tried again.",
            )
        )
