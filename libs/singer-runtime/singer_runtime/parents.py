"""Belonging: a contact's company in Sweo follows its account in Salesforce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crosswalk.ledger import IntendedField, Intent, Quarantined
from crosswalk.ledger.commit import Commit, RevisitRow, WaitingRow
from crosswalk.mapping import Side

from singer_runtime.context import RunContext
from singer_runtime.destination import Attachment, Outcome, Result
from singer_runtime.plan import Pair
from singer_runtime.rules import PARENT_BASE, RuleBook

PARENT_PLACE = -1
"""The place in the waiting list of a record that waits for its parent, not for its half."""


class Parents:
    """Attaches children of one stream. Only the pipeline to Sweo does so."""

    def __init__(self, run: RunContext, book: RuleBook) -> None:
        self.run = run
        self.book = book

    def differs(self, pair: Pair) -> bool:
        """Whether the child belongs to another parent than the one last dealt with."""
        if self.run.y is not Side.SWEO or pair.incoming.parent is None:
            return False
        base = pair.link.base[Side.SALESFORCE]
        _, wanted = pair.incoming.parent
        if PARENT_BASE not in base:
            return wanted is not None
        return base[PARENT_BASE] != wanted

    def attach(self, pairs: Sequence[Pair], batch: Commit) -> None:
        """Move children to their parents, or let them wait until the parent is linked."""
        differing = [pair for pair in pairs if pair.moves_in_doubt or self.differs(pair)]
        moves: list[tuple[Pair, Attachment]] = []
        for pair, company in self._resolved(differing, batch):
            former = pair.link.parent_id
            there = pair.y.parent_ids if pair.y else ()
            doubted = {str(i.fields[PARENT_BASE].to) for i in pair.moves_in_doubt}
            if not doubted and (company == former or (former is None and company in there)):
                self._settle(pair, company if company == former else None, batch)
                continue
            left: list[str | None] = [*sorted({former or "", *doubted} - {"", company})]
            moves += [
                (pair, Attachment(pair.link.sweo_id, company, each)) for each in left or [None]
            ]
        if moves:
            self._move(moves, batch)

    def _move(self, moves: Sequence[tuple[Pair, Attachment]], batch: Commit) -> None:
        intents = [self._intent(pair, move) for pair, move in moves if move.parent_id]
        self.run.writer.put_intents(intents)
        for intent, (pair, _) in zip(intents, (m for m in moves if m[1].parent_id), strict=True):
            pair.moves_in_doubt.append(intent)
        outcomes = self.run.destination.attach(self.book.mapping, [move for _, move in moves])
        failed: dict[int, Outcome] = {}
        for (pair, _), outcome in zip(moves, outcomes, strict=True):
            if outcome.result is not Result.WRITTEN:
                failed.setdefault(pair.link.id, outcome)
        for pair, move in {pair.link.id: (pair, move) for pair, move in moves}.values():
            if pair.link.id in failed:
                self._note_failure(pair, failed[pair.link.id], batch)
            else:
                self.run.counts.attached += 1
                self._settle(pair, move.parent_id, batch)

    def _intent(self, pair: Pair, move: Attachment) -> Intent:
        """A move leaves a trace, or nobody would know the company to leave after a crash."""
        known = IntendedField(x=None, old=move.former_id, to=move.parent_id)
        return Intent(
            id=0,
            link_id=pair.link.id,
            mapping=self.book.mapping.name,
            direction=self.run.direction,
            source_id=pair.incoming.id,
            run_id=self.run.run_id,
            fields={PARENT_BASE: known},
            put_at=self.run.ledger.now(),
        )

    def _resolved(self, pairs: Sequence[Pair], batch: Commit) -> Iterator[tuple[Pair, str | None]]:
        """Each child with the Sweo id of its parent; children of unlinked parents wait."""
        wanted: dict[str, set[str]] = {}
        for pair in pairs:
            mapping, parent = pair.incoming.parent or ("", None)
            if parent is not None:
                wanted.setdefault(mapping, set()).add(parent)
        linked = {
            mapping: self.run.ledger.links(mapping, Side.SALESFORCE, sorted(ids))
            for mapping, ids in wanted.items()
        }
        for pair in pairs:
            mapping, parent = pair.incoming.parent or ("", None)
            if parent is None:
                yield pair, None
            elif parent in linked[mapping]:
                yield pair, linked[mapping][parent].sweo_id
            else:
                self._wait(pair, mapping, parent, batch)

    def _settle(self, pair: Pair, attached: str | None, batch: Commit) -> None:
        link = pair.link
        link.parent_id = attached
        batch.intents_done += pair.moves_in_doubt
        pair.moves_in_doubt = []
        link.base[Side.SALESFORCE][PARENT_BASE] = (
            pair.incoming.parent[1] if pair.incoming.parent else None
        )
        batch.no_longer_waiting.append((Side.SALESFORCE, pair.incoming.id))
        if all(other is not link for other in batch.links):
            batch.links.append(link)

    def _note_failure(self, pair: Pair, outcome: Outcome, batch: Commit) -> None:
        if outcome.result in (Result.UNKNOWN, Result.NOT_SENT):
            batch.revisits.append(
                RevisitRow(
                    self.run.direction, self.book.mapping.name, pair.incoming.id, "not attached"
                )
            )
            return
        batch.intents_done += pair.moves_in_doubt
        self.run.counts.quarantined += 1
        batch.quarantined.append(
            Quarantined(
                mapping=self.book.mapping.name,
                source_id=pair.incoming.id,
                field=PARENT_BASE,
                code=outcome.error_code or "REFUSED",
                message=outcome.error_message or "The membership was refused.",
                remedy=outcome.remedy or "Check that the company still exists in Sweo.",
            )
        )

    def _wait(self, pair: Pair, parent_mapping: str, wanted: str, batch: Commit) -> None:
        self.run.counts.waiting += 1
        batch.waiting.append(
            WaitingRow(
                mapping=self.book.mapping.name,
                side=Side.SALESFORCE,
                record_id=pair.incoming.id,
                place=PARENT_PLACE,
                modified_at=pair.incoming.modified_at,
                parent_mapping=parent_mapping,
                parent_id=wanted,
            )
        )
