"""Writing down what became of a plan: bases, the sync log, conflicts, quarantine."""

from __future__ import annotations

from crosswalk.ledger import FIRST_EXCHANGE, Intent, Quarantined
from crosswalk.ledger.clock import seconds_of
from crosswalk.ledger.commit import ChangeRow, Commit, ConflictRow, RevisitRow
from crosswalk.mapping import Side
from crosswalk.merge import ABSENT, Action

from singer_runtime.destination import Outcome, Result
from singer_runtime.plan import FieldPlan, PairPlan
from singer_runtime.rules import RuleBook


class Bookkeeper:
    """Turns plans and outcomes into the rows of one commit."""

    def __init__(self, book: RuleBook, batch: Commit) -> None:
        self.book = book
        self.batch = batch

    def abandon(self, plan: PairPlan) -> None:
        """Nothing of this plan was written: what it intended is in no doubt."""
        if plan.intent is not None:
            self.batch.intents_done.append(plan.intent)

    def is_settled(self, outcome: Outcome | None) -> bool:
        """Whether the record left nothing undone on this side."""
        return outcome is None or outcome.result is Result.WRITTEN

    def note(self, plan: PairPlan, outcome: Outcome | None) -> None:
        """Put down one plan's end."""
        if outcome is not None and outcome.result is not Result.WRITTEN:
            self._note_failure(plan, outcome)
            return
        run, link = self.book.run, plan.pair.link
        if plan.intent is not None:
            self.batch.intents_done.append(plan.intent)
        moved = False
        for each in plan.fields:
            moved |= self._note_field(plan, each, outcome)
        if outcome is not None:
            run.counts.updated += 1
            if outcome.modified_at is not None:
                link.written[run.y] = outcome.modified_at
        self._quarantine(plan)
        undone = any(each.decision.action is Action.YIELD for each in plan.fields)
        link.digest[run.x] = None if undone else plan.pair.incoming.digest
        if moved or plan.pair.is_new:
            link.digest[run.y] = None
            self.batch.links.append(link)
        else:
            self.batch.digests.append((link, run.x))
        self._owe(plan, undone=undone)

    def _note_field(self, plan: PairPlan, each: FieldPlan, outcome: Outcome | None) -> bool:
        """Move one field's base; returns whether it moved."""
        run, link = self.book.run, plan.pair.link
        rule, action = each.rule, each.decision.action
        number = rule.number or ""
        if each.decision.conflict and each.third is None:
            self._conflict(plan, each)
        if action in (Action.NOTHING, Action.HOLD, Action.YIELD):
            run.counts.yielded += action is Action.YIELD
            run.counts.held += action is Action.HOLD
            return False
        if each.third is not None:
            return self._note_third_value(plan, each)
        token = self.book.token(rule, each.v)
        if action is Action.WRITE and outcome is not None and each.rendered is not None:
            held = outcome.answered.get(rule.name, each.rendered.held)
            run.counts.fields += 1
            run.counts.replaced += each.decision.replaces
            run.counts.put_back += each.puts_back
            self._log(plan, each, "put back" if each.puts_back else "written")
        else:
            held = None if each.y is ABSENT else each.y
            run.counts.agreed += action is Action.AGREED
        link.base[run.x][number] = token
        link.base[run.y][number] = self.book.token(rule, held)
        link.rests_on(run.x, number, int(seconds_of(plan.pair.incoming.read_at)))
        if rule.two_way:
            seen_at = outcome.answered_at if action is Action.WRITE and outcome else None
            seen_at = seen_at or (plan.pair.y.read_at if plan.pair.y else None)
            if seen_at is not None:
                link.rests_on(run.y, number, int(seconds_of(seen_at)))
        self._settle_verdict(plan, number)
        return True

    def _note_third_value(self, plan: PairPlan, each: FieldPlan) -> bool:
        """A person's own value was written to Y: from here on it is an edit made on Y.

        The base becomes what both sides held, so that the other pipeline sees the new value
        as a change of Y and carries it to X the ordinary way.
        """
        run, link = self.book.run, plan.pair.link
        number = each.rule.number or ""
        run.counts.fields += 1
        self._log(plan, each, "decided by a person")
        link.base[run.x][number] = each.v
        link.base[run.y][number] = None if each.y is ABSENT else each.y
        self._settle_verdict(plan, number)
        return True

    def _settle_verdict(self, plan: PairPlan, number: str) -> None:
        verdict = plan.pair.verdicts.get(number)
        if verdict is not None:
            self.batch.settled.append(verdict.id)

    def _log(self, plan: PairPlan, each: FieldPlan, outcome: str) -> None:
        run, link = self.book.run, plan.pair.link
        self.batch.changes.append(
            ChangeRow(
                mapping=self.book.mapping.name,
                salesforce_id=link.salesforce_id,
                sweo_id=link.sweo_id,
                field=each.rule.name,
                side=run.y,
                old=None if each.y is ABSENT else each.y,
                new=each.rendered.held if each.rendered else None,
                outcome="won a conflict"
                if each.decision.conflict and each.third is None
                else outcome,
            )
        )

    def _conflict(self, plan: PairPlan, each: FieldPlan) -> None:
        run, pair = self.book.run, plan.pair
        action = each.decision.action
        winner = {Action.WRITE: run.x, Action.YIELD: run.y}.get(action)
        standing = plan.pair.verdicts.get(each.rule.number or "")
        values = {run.x: each.v, run.y: None if each.y is ABSENT else each.y}
        if (
            standing is not None
            and standing.winner is winner
            and standing.salesforce == values[Side.SALESFORCE]
            and standing.sweo == values[Side.SWEO]
        ):
            return
        run.counts.conflicts += 1
        number = each.rule.number or ""
        self.batch.conflicts.append(
            ConflictRow(
                link_id=pair.link.id,
                field_number=int(number),
                mapping=self.book.mapping.name,
                reason=each.reason,
                base={side: pair.link.base[side].get(number) for side in Side},
                values=values,
                at={
                    run.x: pair.incoming.modified_at,
                    run.y: pair.y.modified_at if pair.y else None,
                },
                by={
                    run.x: pair.incoming.modified_by,
                    run.y: pair.y.modified_by if pair.y else None,
                },
                winner=winner,
                status={Action.WRITE: "settled", Action.YIELD: "decided"}.get(action, "open"),
            )
        )

    def _quarantine(self, plan: PairPlan) -> None:
        self.book.run.counts.quarantined += len(plan.pair.quarantined)
        self.batch.quarantined += plan.pair.quarantined.values()

    def _owe(self, plan: PairPlan, *, undone: bool) -> None:
        """Put the pair on the other pipeline's list where that one has something to carry."""
        run, link = self.book.run, plan.pair.link
        reason = "decided for the other side" if undone else None
        if plan.pair.is_new and self._other_direction_is_owed(plan):
            reason = reason or FIRST_EXCHANGE
        if reason:
            self.batch.revisits.append(
                RevisitRow(run.opposite, self.book.mapping.name, link.id_on(run.y), reason)
            )

    def _other_direction_is_owed(self, plan: PairPlan) -> bool:
        run, base = self.book.run, plan.pair.link.base[self.book.run.x]
        done = {
            rule.field
            for rule in self.book.rules
            if rule.two_way and rule.number is not None and rule.number in base
        }
        return any(
            field not in done
            for field in self.book.mapping.flowing_to(run.x)
            if field.direction.flows_to(run.x) and not field.fills
        )

    def _note_failure(self, plan: PairPlan, outcome: Outcome) -> None:
        run, pair = self.book.run, plan.pair
        intent: Intent | None = plan.intent
        if outcome.result is not Result.UNKNOWN and intent is not None:
            self.batch.intents_done.append(intent)
        if outcome.result in (Result.UNKNOWN, Result.NOT_SENT):
            reason = "outcome unknown" if outcome.result is Result.UNKNOWN else "not sent"
            run.counts.deferred += 1
            self.batch.revisits.append(
                RevisitRow(run.direction, self.book.mapping.name, pair.incoming.id, reason)
            )
            return
        run.counts.quarantined += 1
        self.batch.quarantined.append(
            Quarantined(
                mapping=self.book.mapping.name,
                source_id=pair.incoming.id,
                field=outcome.error_fields[0] if len(outcome.error_fields) == 1 else "",
                code=outcome.error_code or "REFUSED",
                message=outcome.error_message or "The record was refused.",
                remedy=outcome.remedy
                or "Mend the record at its source; it is tried again by itself.",
            )
        )
        pair.link.digest[run.x] = pair.incoming.digest
        self.batch.digests.append((pair.link, run.x))
