"""Queries of set-up objects that have no table here: flows, triggers, limits of objects.

What is asked for beyond fields, AND, ``=``, ``!=`` and IN is refused; so is a user who may not see
the set-up, to whom these objects do not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..soql import SoqlError
from ..soql.parser import parse
from ..soql.tokens import text_of
from ..soql.tree import And, Comparison, Condition, FieldPath, Literal, Query, SelectedField
from . import ids
from .automation import Flow, Trigger
from .errors import SalesforceError

if TYPE_CHECKING:
    from .org import Org

IN_DATA_API = frozenset({"flowdefinitionview", "apextrigger"})
IN_TOOLING_API = frozenset({"flow", "apextrigger", "entitylimit"})


def may_be_about(soql: str) -> bool:
    """A first look, which costs less than reading the query."""
    lowered = soql.lower()
    return any(name in lowered for name in IN_DATA_API)


def source_of(soql: str) -> str:
    """The object that a query is about, in lower case; empty where it is no query."""
    try:
        return parse(soql).source.lower()
    except SoqlError:
        return ""


def records(org: Org, user_id: str, soql: str, version: str, api: str) -> list[dict[str, Any]]:
    """The records that a query finds, as the API shows them; ``api`` is a part of their address.

    Raises:
        SalesforceError: the query is refused.
    """
    try:
        query = parse(soql)
    except SoqlError as error:
        raise SalesforceError(error.code, error.message) from None
    known = {name.lower(): (name, rows) for name, rows in _setup_rows(org).items()}
    found = known.get(query.source.lower())
    if found is None or not org.security.may_customize(user_id):
        raise SalesforceError("INVALID_TYPE", f"sObject type '{query.source}' is not supported.")
    name, rows = found
    fields = [_field(item) for item in query.select]
    chosen = [row for row in rows if query.where is None or _holds(query, query.where, row)]
    limited = chosen[: query.limit] if query.limit is not None else chosen
    if any(path == ("Metadata",) for path in fields) and len(limited) > 1:
        raise SalesforceError(
            "MALFORMED_QUERY",
            "When retrieving results with Metadata or FullName fields, the query qualifications "
            "must specify no more than one row for retrieval.",
        )
    return [_shown(name, fields, row, version, api) for row in limited]


def _setup_rows(org: Org) -> dict[str, list[dict[str, Any]]]:
    """What there is, by object."""
    most = org.settings.custom_fields_per_object
    flows = [each for each in org.automation if isinstance(each, Flow)]
    triggers = [each for each in org.automation if isinstance(each, Trigger)]
    return {
        "FlowDefinitionView": [
            {
                "DurableId": f"300{flow.id[3:]}",
                "ApiName": flow.name,
                "Label": flow.name.replace("_", " "),
                "ActiveVersionId": ids.to_18(flow.id),
                "IsActive": True,
                "ProcessType": "AutoLaunchedFlow",
                "TriggerType": flow.metadata["start"]["triggerType"],
                "RecordTriggerType": flow.metadata["start"].get("recordTriggerType", "Update"),
                "TriggerObjectOrEventLabel": org.schema.sobjects[flow.sobject.lower()].label,
            }
            for flow in flows
        ],
        "Flow": [
            {"Id": ids.to_18(flow.id), "Status": "Active", "Metadata": flow.metadata}
            for flow in flows
        ],
        "ApexTrigger": [
            {
                "Id": ids.to_18(trigger.id),
                "Name": trigger.name,
                "NamespacePrefix": None,
                "Status": "Active",
                "Body": trigger.body,
                "EntityDefinition": {"QualifiedApiName": trigger.sobject},
            }
            for trigger in triggers
        ],
        "EntityLimit": [
            {
                "DurableId": f"{sobject.name}.CustomFields",
                "EntityDefinitionId": sobject.name,
                "EntityDefinition": {"QualifiedApiName": sobject.name},
                "Label": "Custom Fields",
                "Type": "CustomFields",
                "Max": most,
                "Remaining": max(0, most - sum(f.custom for f in sobject.fields.values())),
            }
            for sobject in org.schema.sobjects.values()
        ],
    }


def _field(item: object) -> tuple[str, ...]:
    if not isinstance(item, SelectedField) or not isinstance(item.operand, FieldPath):
        raise _refused()
    return item.operand.parts


def _shown(
    name: str, fields: list[tuple[str, ...]], row: dict[str, Any], version: str, api: str
) -> dict[str, Any]:
    address = (
        f"/services/data/v{version}/{api}sobjects/{name}/{row.get('Id', row.get('DurableId'))}"
    )
    shown: dict[str, Any] = {"attributes": {"type": name, "url": address}}
    for path in fields:
        value = _value(name, row, path)
        if len(path) == 1:
            shown[path[0]] = value
        else:
            outer = shown.setdefault(path[0], {"attributes": {"type": path[0]}})
            outer[path[1]] = value
    return shown


def _value(name: str, row: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = row
    for part in path:
        if not isinstance(value, dict) or part not in value:
            raise SalesforceError("INVALID_FIELD", f"No such column '{part}' on entity '{name}'.")
        value = value[part]
    return value


def _holds(query: Query, condition: Condition, row: dict[str, Any]) -> bool:
    if isinstance(condition, And):
        return all(_holds(query, each, row) for each in condition.conditions)
    if not isinstance(condition, Comparison) or not isinstance(condition.operand, FieldPath):
        raise _refused()
    value, wanted = _value(query.source, row, condition.operand.parts), condition.value
    if condition.operator == "IN" and isinstance(wanted, tuple):
        return any(_same(value, each) for each in wanted)
    if condition.operator in ("=", "!=") and isinstance(wanted, Literal):
        return _same(value, wanted) == (condition.operator == "=")
    raise _refused()


def _same(value: Any, literal: Literal) -> bool:
    if literal.kind == "null":
        return value is None
    if literal.kind == "boolean":
        return bool(value) == (literal.text.lower() == "true")
    if literal.kind != "string":
        raise _refused()
    return isinstance(value, str) and value.lower() == text_of(literal.text).lower()


def _refused() -> SalesforceError:
    return SalesforceError("MALFORMED_QUERY", "the sandbox does not serve this query of the set-up")
