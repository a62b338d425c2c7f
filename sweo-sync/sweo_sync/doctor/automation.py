"""Flows and triggers that rewrite a two-way field behind the sync's back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswalk.mapping import Direction, Mapping

from sweo_sync.doctor.finding import Finding, Level
from sweo_sync.doctor.visit import Visit

AUTOMATION: Final = "flows and triggers"


def look_at_automation(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Active flows and triggers of the object, and which two-way field each of them sets."""
    two_way = {f.salesforce.lower(): f.salesforce for f in mapping.fields
               if f.direction is Direction.BOTH}  # fmt: skip
    if not two_way:
        yield Finding(AUTOMATION, Level.OK, "No field flows both ways.", mapping=mapping.name)
        return
    visit.description(mapping)
    own = [each for each in visit.automations if each.sobject == mapping.salesforce.lower()]
    worse = False
    for each in own:
        names = sorted(two_way[name] for name in (each.sets or two_way) if name in two_way)
        if not names:
            continue
        worse = True
        may = "rewrites" if each.sets is not None else "cannot be read here, and may rewrite"
        flows = "flows" if len(names) == 1 else "flow"
        yield Finding(
            AUTOMATION,
            Level.WARNING,
            f"The active {each.kind} {each.name} {may} {', '.join(names)} of {mapping.salesforce}, "
            f"which {flows} both ways: what comes from Sweo is changed, and goes back as an edit.",
            "let such a field flow to_sweo, or take it out of the "
            f"{each.kind}; what is rewritten three times in a day is held as a conflict",
            mapping.name,
        )
    if not worse:
        told = f"{len(own)} active on {mapping.salesforce}, of which none sets a two-way field."
        none = f"No active flow or trigger on {mapping.salesforce}."
        yield Finding(AUTOMATION, Level.OK, told if own else none, mapping=mapping.name)
