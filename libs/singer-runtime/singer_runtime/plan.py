"""Deciding one pair: every field through the merge, and what must be written for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from crosswalk.ledger import Intent, Link, Quarantined, Review, Verdict
from crosswalk.ledger.clock import seconds_of
from crosswalk.mapping import Policy, Side
from crosswalk.merge import (
    ABSENT,
    Action,
    Decision,
    Known,
    TwoWay,
    newest_side,
    one_way,
    put_back,
    two_way,
    where_empty,
)
from crosswalk.values import Canonical, Kind, Refused, Rendered, renderer

from singer_runtime.destination import Reading
from singer_runtime.incoming import Incoming
from singer_runtime.rules import DRIFTED, Rule, RuleBook


@dataclass(slots=True)
class Pair:
    """A linked record on its way through the exchange.

    ``moves_in_doubt`` are moves to a parent that may or may not have happened.
    ``verdicts`` are its standing conflicts by field number.
    ``quarantined`` are its fields that could not be written in this batch; ``contested`` the
    numbers of fields whose last write has an outcome that nobody can tell.
    """

    incoming: Incoming
    link: Link
    y: Reading | None = None
    quarantined: dict[str, Quarantined] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)
    moves_in_doubt: list[Intent] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    is_new: bool = False


@dataclass(slots=True)
class FieldPlan:
    """What happens to one field: the decision, both values, and what to send.

    ``third`` is a value that a person decided on and that neither side holds. ``puts_back`` says
    that somebody changed Y's value although it flows from X only.
    """

    rule: Rule
    decision: Decision
    v: Canonical
    y: Known
    rendered: Rendered | None = None
    reason: str = "edited on both sides"
    third: tuple[Kind, Canonical] | None = None
    puts_back: bool = False


@dataclass(slots=True)
class PairPlan:
    """What happens to one pair."""

    pair: Pair
    fields: list[FieldPlan] = field(default_factory=list)
    intent: Intent | None = None

    @property
    def writes(self) -> list[FieldPlan]:
        """The fields to send."""
        return [each for each in self.fields if each.rendered is not None]


class Planner:
    """Applies the merge rules of one stream."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book

    def changed_rules(self, pair: Pair) -> list[Rule]:
        """The fields of the record that are not what is remembered of X."""
        base = pair.link.base[self.book.run.x]
        values = pair.incoming.values
        return [
            rule
            for rule in self.book.rules
            if rule.name in values
            and rule.name not in pair.quarantined
            and (
                rule.number in pair.contested
                or self.book.differs(rule, values[rule.name], base)
                or _wants_a_third_value(pair.verdicts.get(rule.number or ""))
            )
        ]

    def needs_reading(self, pair: Pair) -> list[Rule]:
        """The fields that cannot be decided without a fresh reading of Y."""
        base = pair.link.base[self.book.run.x]
        return [
            rule
            for rule in self.changed_rules(pair)
            if rule.two_way or rule.fills or self.book.base_x(rule, base) in (ABSENT, DRIFTED)
        ]

    def is_stale(self, pair: Pair) -> bool:
        """Whether the reading contradicts a base that rests on a newer one."""
        if not self.book.note.dated:
            return False
        read_at = int(seconds_of(pair.incoming.read_at))
        base = pair.link.base[self.book.run.x]
        for rule in self.changed_rules(pair):
            age = pair.link.age_of(self.book.run.x, rule.number or "")
            known = self.book.base_x(rule, base) is not ABSENT
            if known and age is not None and read_at <= age:
                return True
        return False

    def decide(self, pair: Pair) -> PairPlan:
        """Put every changed field through the merge and render what must be written."""
        plan = PairPlan(pair)
        flowing = {rule.name for rule in self.book.rules}
        for name, reason in pair.incoming.refused.items():
            if name in flowing:
                self.quarantine(pair, name, "UNREADABLE_VALUE", reason)
        for rule in self.changed_rules(pair):
            planned = self._decide_field(rule, pair)
            if planned.decision.action is Action.WRITE:
                try:
                    planned.rendered = self._rendered(planned)
                except Refused as refusal:
                    self.quarantine(pair, rule.name, refusal.code, refusal.reason)
                    continue
            plan.fields.append(planned)
        return plan

    def _decide_field(self, rule: Rule, pair: Pair) -> FieldPlan:
        assert rule.agree is not None  # noqa: S101 - the book is prepared by now
        run, mapping, link = self.book.run, self.book.mapping, pair.link
        v = pair.incoming.values[rule.name]
        y: Known = pair.y.values.get(rule.name, ABSENT) if pair.y else ABSENT
        base_x = self.book.base_x(rule, link.base[run.x])
        if not rule.two_way:
            if rule.fills:
                return FieldPlan(rule, where_empty(v, base_x, y), v, y)
            if base_x == DRIFTED:
                return FieldPlan(rule, put_back(v, y, rule.agree), v, y, puts_back=True)
            known = v if base_x is ABSENT else self.book.token(rule, v)
            return FieldPlan(rule, one_way(known, base_x, y, rule.agree), v, y)
        number = rule.number or ""
        verdict = pair.verdicts.get(number)
        stands = verdict is not None and _is_about(verdict, run.x, v, y)
        third = _third_value(verdict) if stands and verdict is not None else None
        if third is not None:
            return FieldPlan(rule, Decision(Action.WRITE, conflict=True), v, y, third=third)
        decided = verdict.winner if stands and verdict is not None else None
        if stands and decided is None:
            return FieldPlan(rule, Decision(Action.HOLD, conflict=True), v, y)
        decision = two_way(
            TwoWay(
                x=run.x,
                v=v,
                y=y,
                base_x=self.book.recall(base_x, v),
                base_y=self.book.recall(link.base[run.y].get(number, ABSENT), y),
                policy=mapping.conflict,
                first_meeting=Side.SALESFORCE
                if link.review is Review.ACCEPTED
                else mapping.first_meeting,
                newest=self._newest(pair) if mapping.conflict is Policy.NEWEST else None,
                decided=decided,
                contested=rule.number in pair.contested,
            ),
            rule.agree,
        )
        return FieldPlan(rule, decision, v, y)

    def _rendered(self, planned: FieldPlan) -> Rendered:
        rule = planned.rule
        assert rule.render is not None  # noqa: S101 - the book is prepared by now
        assert rule.own is not None  # noqa: S101 - the book is prepared by now
        if planned.third is None:
            return rule.render(planned.v)
        kind, value = planned.third
        return renderer(kind, rule.own, self.book.timezone())(value)

    def _newest(self, pair: Pair) -> Side:
        """Who was modified last by a person, by one clock; our own writes do not count."""
        run = self.book.run
        if pair.y is None or pair.y.modified_at is None:
            return Side.SALESFORCE
        times = {
            run.x: seconds_of(pair.incoming.modified_at) - self.book.note.skew_seconds,
            run.y: seconds_of(pair.y.modified_at) - run.destination.skew_seconds(),
        }
        raw = {run.x: pair.incoming.modified_at, run.y: pair.y.modified_at}
        for side in Side:
            ours = pair.link.written[side]
            if ours is not None and seconds_of(raw[side]) <= seconds_of(ours):
                times[side] = float("-inf")
        if times[Side.SALESFORCE] == times[Side.SWEO]:
            return Side.SALESFORCE
        return newest_side(times[Side.SALESFORCE], times[Side.SWEO])

    def quarantine(
        self, pair: Pair, name: str, code: str, reason: str, remedy: str | None = None
    ) -> None:
        """Take one field of a pair out of the exchange, with the reason."""
        pair.quarantined[name] = Quarantined(
            mapping=self.book.mapping.name,
            source_id=pair.incoming.id,
            field=name,
            code=code,
            message=reason,
            remedy=remedy
            or f"Change the value of {name} at its source, or map it to a field that takes it.",
        )


def _is_about(verdict: Verdict, x: Side, v: Canonical, y: Known) -> bool:
    values = {Side.SALESFORCE: verdict.salesforce, Side.SWEO: verdict.sweo}
    return values[x] == v and values[x.other] == y


def _wants_a_third_value(verdict: Verdict | None) -> bool:
    return verdict is not None and _third_value(verdict) is not None


def _third_value(verdict: Verdict) -> tuple[Kind, Canonical] | None:
    if verdict.value is None:
        return None
    told = json.loads(verdict.value)
    return Kind(told["kind"]), told["value"]
