"""The org's active record-triggered flows and Apex triggers, as far as this user may see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from salesforce_client.connection import Connection
from salesforce_client.errors import RequestRefusedError
from salesforce_client.soql import Select, literal

from sweo_sync.doctor.finding import UnavailableError

MOST_FLOWS: Final = 10
"""Only one flow's metadata comes in a call; further ones are told without what they set."""
_RECORD: Final = "$Record."
_SET_IN_APEX: Final = re.compile(r"\.\s*(\w+)\s*(?:\+|-|\*|/)?=(?!=)")
_RUN_ON_SAVE: Final = "TriggerType IN ('RecordBeforeSave', 'RecordAfterSave')"


@dataclass(frozen=True, slots=True)
class Automation:
    """A flow or a trigger. ``sobject`` and the fields that it ``sets`` are in lower case.

    ``sets`` is None where nobody can tell.
    """

    kind: str
    name: str
    sobject: str
    sets: frozenset[str] | None


def read_automations(connection: Connection, labels: Mapping[str, str]) -> tuple[Automation, ...]:
    """What runs when a record of these objects is saved; ``labels`` are by lower-cased API name.

    Raises:
        UnavailableError: this user may not ask.
    """
    try:
        return (*_flows(connection, labels), *_triggers(connection, labels))
    except RequestRefusedError:
        raise UnavailableError(
            "Salesforce does not tell this user of flows and triggers (permission View Setup and "
            "Configuration); run the doctor once with an admin's SALESFORCE_ACCESS_TOKEN."
        ) from None


def _flows(connection: Connection, labels: Mapping[str, str]) -> Iterator[Automation]:
    columns = ("ApiName", "ActiveVersionId", "TriggerObjectOrEventLabel")
    select = Select("FlowDefinitionView", columns, ("ActiveVersionId != null", _RUN_ON_SAVE))
    # Flows know their object by its label.
    by_label = {label.casefold(): name for name, label in labels.items()}
    by_label |= {name: name for name in labels}
    read = 0
    for row in _rows(connection, "query", select):
        sobject = by_label.get(str(row["TriggerObjectOrEventLabel"]).casefold())
        if sobject is None:
            continue
        read += 1
        sets = None
        if read <= MOST_FLOWS:
            version = (f"Id = {literal(str(row['ActiveVersionId']))}",)
            found = _rows(connection, "tooling/query", Select("Flow", ("Metadata",), version))
            sets = _set_by_flow(found[0]["Metadata"] or {}, sobject) if found else None
        yield Automation("flow", str(row["ApiName"]), sobject, sets)


def _set_by_flow(metadata: Mapping[str, Any], sobject: str) -> frozenset[str]:
    """The fields that it sets on the record that started it."""
    names = [
        str(item.get("assignToReference")).removeprefix(_RECORD)
        for assignment in metadata.get("assignments") or ()
        for item in assignment.get("assignmentItems") or ()
        if str(item.get("assignToReference")).startswith(_RECORD)
    ]
    for update in metadata.get("recordUpdates") or ():
        is_own = update.get("inputReference") == "$Record"
        if is_own or str(update.get("object")).lower() == sobject:
            names += [str(item.get("field")) for item in update.get("inputAssignments") or ()]
    return frozenset(name.lower() for name in names)


def _triggers(connection: Connection, sobjects: Iterable[str]) -> Iterator[Automation]:
    names = set(sobjects)
    columns = ("Id", "Name", "EntityDefinition.QualifiedApiName")
    active = Select("ApexTrigger", columns, ("Status = 'Active'",))
    on = {
        str(row["Id"]): (str(row["Name"]), sobject)
        for row in _rows(connection, "tooling/query", active)
        if (sobject := _object_of(row)) in names
    }
    if not on:
        return
    ids = ", ".join(literal(trigger_id) for trigger_id in on)
    bodies = Select("ApexTrigger", ("Id", "Body"), (f"Id IN ({ids})",))
    for row in _rows(connection, "tooling/query", bodies):
        name, sobject = on[str(row["Id"])]
        yield Automation("trigger", name, sobject, _set_by_apex(row.get("Body")))


def _object_of(row: Mapping[str, Any]) -> str:
    return str((row.get("EntityDefinition") or {}).get("QualifiedApiName")).lower()


def _set_by_apex(body: object) -> frozenset[str] | None:
    """What stands left of an assignment. A managed package hides its source, and a trigger that
    hands its records on sets who knows what.
    """
    if not isinstance(body, str) or "{" not in body:
        return None
    found = frozenset(name.lower() for name in _SET_IN_APEX.findall(body))
    hands_on = re.search(r"\(\s*Trigger\s*\.\s*(?:new|newMap)\b", body, re.IGNORECASE)
    return None if hands_on else found


def _rows(connection: Connection, resource: str, select: Select) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.read(resource, params={"q": select.text()}).body[
        "records"
    ]
    return rows
