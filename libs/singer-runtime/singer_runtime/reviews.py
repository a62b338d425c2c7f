"""Pairs whose first exchange waits for a person (``first_link: ask``).

A record that was imported or made by hand may carry the key of a Salesforce record and other
values. The pipeline to Sweo compares such a pair when it meets first: it sees every field that
would be overwritten in Sweo. Where two values differ nothing moves, in neither direction, until a
person accepts; where none does, the pair is exchanged like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crosswalk.ledger import FIRST_EXCHANGE, Review
from crosswalk.ledger.commit import UNDER_REVIEW, Commit, ConflictRow, RevisitRow
from crosswalk.mapping import FirstLink, Side
from crosswalk.merge import ABSENT

from singer_runtime.plan import FieldPlan, Pair, PairPlan
from singer_runtime.rules import RuleBook

REASON: Final = "first link"


class Reviews:
    """The reviews of one stream's mapping."""

    def __init__(self, book: RuleBook) -> None:
        self.run = book.run
        self.book = book
        self.mapping = book.mapping
        self._asks = self.mapping.first_link is FirstLink.ASK

    def admit(self, pairs: Sequence[Pair], batch: Commit) -> list[Pair]:
        """The pairs that may be exchanged, or compared; the others stand still."""
        return [pair for pair in pairs if not self._stands_still(pair, batch)]

    def _stands_still(self, pair: Pair, batch: Commit) -> bool:
        link = pair.link
        if link.review is Review.DECLINED:
            self._hold(pair, batch)
            return True
        if not self._asks:
            if link.review in (Review.NEW, Review.OPEN):
                self._let_meet(pair, batch)
            return False
        if not self._is_asked_about(pair):
            return False
        if self.run.y is Side.SWEO:
            return False
        self._hold(pair, batch)
        if link.review is None:
            link.review = Review.NEW
            batch.links.append(link)
            batch.revisits.append(
                RevisitRow(self.run.opposite, link.mapping, link.id_on(self.run.y), FIRST_EXCHANGE)
            )
        return True

    def _is_asked_about(self, pair: Pair) -> bool:
        review = pair.link.review
        return pair.is_new if review is None else review in (Review.NEW, Review.OPEN)

    def _hold(self, pair: Pair, batch: Commit) -> None:
        self.run.counts.under_review += 1
        pair.link.digest[self.run.x] = pair.incoming.digest
        batch.digests.append((pair.link, self.run.x))

    def judge(self, plans: Sequence[PairPlan], batch: Commit) -> list[PairPlan]:
        """The plans that may be carried out. One whose values differ opens a review instead."""
        if not self._asks or self.run.y is not Side.SWEO:
            return list(plans)
        free: list[PairPlan] = []
        for plan in plans:
            link = plan.pair.link
            if not self._is_asked_about(plan.pair):
                free.append(plan)
                continue
            differing = [each for each in plan.fields if _differs(each)]
            if not differing:
                self._let_meet(plan.pair, batch)
                free.append(plan)
                continue
            batch.judged.append(link.id)
            link.review = Review.OPEN
            batch.links.append(link)
            batch.conflicts += [self._row(plan.pair, each) for each in differing]
            self._hold(plan.pair, batch)
        return free

    def _let_meet(self, pair: Pair, batch: Commit) -> None:
        """Exchange a pair as a new one: the other pipeline is owed its part."""
        batch.judged.append(pair.link.id)
        pair.link.review = None
        pair.is_new = True

    def _row(self, pair: Pair, each: FieldPlan) -> ConflictRow:
        run = self.run
        return ConflictRow(
            link_id=pair.link.id,
            field_number=int(each.rule.number or ""),
            mapping=self.mapping.name,
            reason=REASON,
            base={},
            values={run.x: each.v, run.y: None if each.y is ABSENT else each.y},
            at={run.x: pair.incoming.modified_at, run.y: pair.y.modified_at if pair.y else None},
            by={run.x: pair.incoming.modified_by, run.y: pair.y.modified_by if pair.y else None},
            winner=None,
            status=UNDER_REVIEW,
        )


def _differs(each: FieldPlan) -> bool:
    """Whether a value of Sweo would give way, or Salesforce's would: an empty one never does."""
    assert each.rule.agree is not None  # noqa: S101 - the book is prepared by now
    if each.rule.fills or each.v is None or each.y is None or each.y is ABSENT:
        return False
    return not each.rule.agree(each.v, each.y)
