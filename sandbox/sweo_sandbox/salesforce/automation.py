"""Record-triggered flows and Apex triggers, as an admin declares them through the control desk.

A flow's literals are set in the save that started it, whether it runs before or after that. A
trigger is only declared: no Apex runs here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import SalesforceError
from .schema import SObjectType

if TYPE_CHECKING:
    from .org import Org
    from .store import Row

_VALUES = ("stringValue", "numberValue", "booleanValue")
_RECORD = "$Record."


@dataclass(frozen=True, slots=True)
class Flow:
    """An active flow. ``metadata`` is as the Tooling API gives it, as far as it is understood."""

    id: str
    name: str
    sobject: str
    metadata: dict[str, Any]

    def literals(self) -> Iterator[tuple[str, Any]]:
        """The fields of the record that it sets, and to what.

        Raises:
            SalesforceError: it does something else.
        """
        for assignment in self.metadata.get("assignments") or ():
            for item in assignment["assignmentItems"]:
                reference = str(item["assignToReference"])
                if item.get("operator") != "Assign" or not reference.startswith(_RECORD):
                    raise _not_understood(reference)
                yield reference.removeprefix(_RECORD), _literal(item["value"])
        for update in self.metadata.get("recordUpdates") or ():
            if update.get("inputReference") != "$Record":
                raise _not_understood("recordUpdates")
            for item in update["inputAssignments"]:
                yield item["field"], _literal(item["value"])


@dataclass(frozen=True, slots=True)
class Trigger:
    """An active Apex trigger."""

    id: str
    name: str
    sobject: str
    body: str


def declare_flow(org: Org, name: str, metadata: dict[str, Any]) -> None:
    """Put a flow in force.

    Raises:
        SalesforceError: it is not about a record, or does more than set literals.
    """
    start = metadata.get("start")
    if not isinstance(start, dict) or start.get("triggerType") not in (
        "RecordBeforeSave",
        "RecordAfterSave",
    ):
        raise _not_understood("start")
    sobject = _sobject(org, start["object"])
    flow = Flow(org.store.next_id("301", "Flow"), name, sobject.name, metadata)
    for field, _ in flow.literals():
        if sobject.field_named(field) is None:
            raise _not_understood(field)
    org.automation.append(flow)


def declare_trigger(org: Org, name: str, sobject_name: str, body: str) -> None:
    """Note that there is a trigger."""
    sobject = _sobject(org, sobject_name)
    trigger_id = org.store.next_id("01q", "ApexTrigger")
    org.automation.append(Trigger(trigger_id, name, sobject.name, body))


def run(org: Org, sobject: SObjectType, row: Row, given: dict[str, Any]) -> None:
    """Let the flows set their literals on a record that is about to be written, whoever writes."""
    for each in org.automation:
        if isinstance(each, Flow) and each.sobject == sobject.name:
            for name, value in each.literals():
                field = sobject.field_named(name)
                assert field is not None  # noqa: S101 - declare_flow looked
                row[field.name] = given[field.name] = value


def _sobject(org: Org, name: Any) -> SObjectType:
    found = org.schema.sobject(str(name))
    if found is None:
        raise _not_understood(str(name))
    return found


def _literal(value: Any) -> Any:
    kind, held = next(iter(value.items()))
    if len(value) != 1 or kind not in _VALUES:
        raise _not_understood(kind)
    return held


def _not_understood(what: str) -> SalesforceError:
    return SalesforceError("INVALID_INPUT", f"the sandbox's flows know no {what}")
