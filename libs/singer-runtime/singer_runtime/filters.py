"""Who is left out by ``only``, and what is owed to those who come back.

A filter judges the records of its side. Where they are the source the tap does so, for it asks
the API in the filter's own words. Where they would be written they are judged here, right before:
a pair that is outside is not exchanged at all, so that what both sides agreed on stays as it was
and the edits made meanwhile are told apart once it is inside again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crosswalk.ledger.commit import Commit, RevisitRow
from crosswalk.ledger.left_out import LET_IN, LeftOut, leaves_out, left_out_of
from crosswalk.mapping import Side
from crosswalk.merge import Action

from singer_runtime.context import RunContext
from singer_runtime.incoming import Incoming
from singer_runtime.parents import Parents
from singer_runtime.plan import PairPlan
from singer_runtime.rules import RuleBook


class Filters:
    """The filters of one stream's mapping, on both sides."""

    def __init__(self, run: RunContext, book: RuleBook, parents: Parents) -> None:
        self.run = run
        self.book = book
        self.mapping = book.mapping
        self.parents = parents
        self._judges = self.mapping.only.limits(run.y) and not book.only_reads
        # A filter that was taken out of the field configs still owes what it left out.
        self._watches = any(self.mapping.only.limits(side) for side in Side) or leaves_out(
            run.ledger, self.mapping.name
        )

    def admit(
        self, read: Iterable[str], todo: Sequence[Incoming], batch: Commit
    ) -> tuple[list[Incoming], list[Incoming]]:
        """Sort out what the filters leave out before anything is read for it.

        ``read`` are the ids of all records of the batch, ``todo`` those that may differ. Records
        that the tap found inside again, and pairs that were left out for their other half and are
        inside now, are called for in both directions.

        Returns:
            Those of ``todo`` to exchange, and those that are left out.
        """
        if not self._watches:
            return list(todo), []
        run = self.run
        standing = left_out_of(run.ledger, self.mapping.name, run.x, list(read))
        gone = {each.id for each in todo if each.deleted}
        out = [each for each in todo if each.outside and not each.deleted]
        outside = {each.id for each in out}
        present = {each.id for each in todo} - gone - outside
        for record_id, rows in standing.items():
            if record_id in gone:
                batch.let_in += rows
            elif record_id not in outside:
                self._let_in(rows, run.x, batch, exchanged=record_id in present)
        out += self._still_outside([e for e in todo if e.id in present], standing, batch)
        left = {each.id for each in out}
        for each in out:
            self._leave_out(each, run.x if each.id in outside else run.y, batch)
        return [each for each in todo if each.id not in left], out

    def _still_outside(
        self, present: Sequence[Incoming], standing: dict[str, list[LeftOut]], batch: Commit
    ) -> list[Incoming]:
        """Ask for the halves of pairs that were left out before, so that nothing else is read
        for those which still are, and no limit counts them.
        """
        run = self.run
        doubtful = [
            each
            for each in present
            if any(
                row.direction == run.direction and row.side is run.y
                for row in standing.get(each.id, ())
            )
        ]
        links = run.ledger.links(self.mapping.name, run.x, [each.id for each in doubtful])
        inside: set[str] = set()
        if links and self._judges:
            self.book.prepare()
            ids = [link.id_on(run.y) for link in links.values()]
            inside = run.destination.inside(self.mapping, ids)
        out: list[Incoming] = []
        for each in doubtful:
            link = links.get(each.id)
            if self._judges and link is not None and link.id_on(run.y) not in inside:
                out.append(each)
            else:
                self._let_in(standing[each.id], run.y, batch, exchanged=True)
        return out

    def judge(
        self, plans: Sequence[PairPlan], batch: Commit
    ) -> tuple[list[PairPlan], list[Incoming]]:
        """The plans whose pairs may move, and the records of those that may not: they leave no
        trace but that they were left out.
        """
        if not self._judges:
            return list(plans), []
        run = self.run
        asked = [plan for plan in plans if self._is_eventful(plan)]
        told = {p.pair.y.id: p.pair.y.inside for p in asked if p.pair.y}
        ids = [y_id for p in asked if told.get(y_id := p.pair.link.id_on(run.y)) is None]
        inside = run.destination.inside(self.mapping, ids) if ids else set()
        inside |= {y_id for y_id, is_inside in told.items() if is_inside}
        out = [plan.pair.incoming for plan in asked if plan.pair.link.id_on(run.y) not in inside]
        left = {each.id for each in out}
        for each in out:
            self._leave_out(each, run.y, batch)
        moving = [each.pair.incoming.id for each in asked if each.pair.incoming.id not in left]
        for rows in left_out_of(run.ledger, self.mapping.name, run.x, moving).values():
            self._let_in(rows, run.y, batch, exchanged=True)
        return [plan for plan in plans if plan.pair.incoming.id not in left], out

    def _is_eventful(self, plan: PairPlan) -> bool:
        """Whether more than an agreement that was reached already would be put down."""
        pair = plan.pair
        return bool(
            pair.is_new
            or pair.quarantined
            or pair.contested
            or pair.moves_in_doubt
            or self.parents.differs(pair)
            or any(
                each.decision.action not in (Action.NOTHING, Action.AGREED) for each in plan.fields
            )
        )

    def _leave_out(self, each: Incoming, side: Side, batch: Commit) -> None:
        self.run.counts.left_out += 1
        batch.revisited += each.revisit
        batch.left_out.append(LeftOut(self.run.direction, self.mapping.name, each.id, side))

    def _let_in(
        self, rows: Sequence[LeftOut], side: Side, batch: Commit, *, exchanged: bool
    ) -> None:
        """Call for what the filter of ``side`` left out. ``exchanged`` says that this pipeline is
        about to exchange the record anyway.
        """
        for row in rows:
            if row.side is not side:
                continue
            batch.let_in.append(row)
            if row.direction == self.run.opposite or not exchanged:
                batch.revisits.append(RevisitRow(row.direction, row.mapping, row.source_id, LET_IN))
