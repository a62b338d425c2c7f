"""Two automations that rewrite each other's value through us are stopped, once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from crosswalk.merge import Action, Decision

from singer_runtime.plan import FieldPlan, PairPlan
from singer_runtime.rules import RuleBook

HOURS: Final = 24.0
TIMES: Final = 3
REASON: Final = "rewritten by the other side"


def hold_ping_pong(book: RuleBook, plans: Sequence[PairPlan]) -> None:
    """Hold a two-way field whose value is about to be written for the third time in a day.

    Between two writes of the same value somebody or something put another one there, and we
    carried that across as well. The values stand as they are until a person decides.
    """
    writing = [plan for plan in plans if any(each.rule.two_way for each in plan.writes)]
    if not writing:
        return
    run = book.run
    ids = [plan.pair.link.salesforce_id for plan in writing]
    recent = run.ledger.recent_writes(book.mapping.name, run.y, ids, HOURS)
    if not recent:
        return
    for plan in writing:
        for each in plan.writes:
            if each.rule.two_way and recent[_key(plan, each)] >= TIMES - 1:
                each.decision = Decision(Action.HOLD, conflict=True)
                each.rendered = None
                each.reason = REASON


def _key(plan: PairPlan, each: FieldPlan) -> tuple[str, str, str]:
    held = each.rendered.held if each.rendered else None
    return plan.pair.link.salesforce_id, each.rule.name, json.dumps(held)
