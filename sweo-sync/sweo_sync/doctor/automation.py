"""Triggers and flows that may rewrite a two-way field behind the sync's back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswalk.mapping import Direction, Mapping
from salesforce_client.errors import RequestRefusedError
from salesforce_client.soql import Select, literal

from sweo_sync.doctor.finding import Finding, Level, UnavailableError
from sweo_sync.doctor.visit import Visit

AUTOMATION: Final = "flows and triggers"


def look_at_automation(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Active Apex triggers on the object, where this user may ask for them (View Setup)."""
    visit.needs("salesforce")
    two_way = [f.salesforce for f in mapping.fields if f.direction is Direction.BOTH]
    if not two_way:
        yield Finding(AUTOMATION, Level.OK, "No field flows both ways.", mapping=mapping.name)
        return
    where = ("Status = 'Active'", f"TableEnumOrId = {literal(mapping.salesforce)}")
    soql = Select("ApexTrigger", ("Name",), where).text()
    try:
        answer = visit.connection.read("tooling/query", params={"q": soql})
    except RequestRefusedError:
        raise UnavailableError(
            "Salesforce does not tell this user of triggers and flows (permission View Setup)."
        ) from None
    names = [str(record["Name"]) for record in answer.body["records"]]
    if names:
        yield Finding(
            AUTOMATION,
            Level.WARNING,
            f"Active triggers on {mapping.salesforce}: {', '.join(names)}. One that rewrites "
            f"{', '.join(two_way)} makes each side answer the other.",
            "read them; a field that is rewritten three times in a day is held as a conflict",
            mapping.name,
        )
    else:
        yield Finding(
            AUTOMATION,
            Level.OK,
            f"No active Apex trigger on {mapping.salesforce}; flows are not looked at.",
            mapping=mapping.name,
        )
