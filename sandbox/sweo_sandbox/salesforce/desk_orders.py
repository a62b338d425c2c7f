"""The org's own orders of the control desk, under ``POST /_sandbox/org/…``.

They act as a person with every right. The desk around this application lets only loopback in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import automation, currencies, ids, lifecycle
from .base_rows import MINIMUM_ACCESS
from .errors import SalesforceError, invalid_type, json_parser_error, not_found
from .rules import DuplicateRule, ValidationRule
from .schema import SObjectType
from .web import Request, Response

if TYPE_CHECKING:
    from .org import Org

PREFIX = "/_sandbox/org/"


def answer(org: Org, request: Request, path: str) -> Response:
    """Carry out the order that the path names; its arguments are the JSON body.

    Raises:
        SalesforceError: there is no such order, or it cannot be carried out.
    """
    found = _ORDERS.get(path.removeprefix(PREFIX).strip("/"))
    if found is None or request.method != "POST":
        raise not_found()
    order, known = found
    arguments = request.json_object() if request.body else {}
    unknown = sorted(set(arguments) - known)
    if unknown:
        raise SalesforceError("INVALID_INPUT", f"the order takes no {unknown[0]}")
    try:
        return Response(order(org, arguments) or {"done": True})
    except KeyError as missing:
        raise SalesforceError("MISSING_ARGUMENT", f"the order needs {missing}") from None


def _sobject(org: Org, arguments: dict[str, Any]) -> SObjectType:
    found = org.schema.sobject(str(arguments["sobject"]))
    if found is None:
        raise invalid_type(str(arguments["sobject"]))
    return found


def _id(text: Any) -> str:
    return ids.to_18(str(text)) or str(text)


def _object(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    value = arguments[name]
    if not isinstance(value, dict):
        raise json_parser_error(f"{name} must be an object")
    return value


def _insert(org: Org, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"id": org.insert(str(arguments["sobject"]), _object(arguments, "values"))}


def _update(org: Org, arguments: dict[str, Any]) -> None:
    org.update(str(arguments["sobject"]), _id(arguments["id"]), _object(arguments, "values"))


def _delete(org: Org, arguments: dict[str, Any]) -> None:
    hard = bool(arguments.get("hard"))
    org.delete(str(arguments["sobject"]), _id(arguments["id"]), hard=hard)


def _undelete(org: Org, arguments: dict[str, Any]) -> None:
    lifecycle.undelete(org, _sobject(org, arguments), _id(arguments["id"]))


def _merge(org: Org, arguments: dict[str, Any]) -> None:
    losers = [_id(loser) for loser in arguments["loser_ids"]]
    lifecycle.merge(org, _sobject(org, arguments), _id(arguments["master_id"]), losers)


def _convert(org: Org, arguments: dict[str, Any]) -> dict[str, Any]:
    return dict(
        lifecycle.convert_lead(
            org,
            _id(arguments["id"]),
            account_id=arguments.get("account_id"),
            contact_id=arguments.get("contact_id"),
            opportunity_name=arguments.get("opportunity_name"),
            fields=_object(arguments, "fields") if "fields" in arguments else None,
        )
    )


def _empty_bin(org: Org, _arguments: dict[str, Any]) -> dict[str, Any]:
    return {"removed": lifecycle.empty_recycle_bin(org)}


def _archive(org: Org, _arguments: dict[str, Any]) -> dict[str, Any]:
    return {"archived": lifecycle.archive_activities(org)}


def _add_user(org: Org, arguments: dict[str, Any]) -> dict[str, Any]:
    profile = arguments.get("profile", MINIMUM_ACCESS)
    return {"id": org.add_user(str(arguments["username"]), str(profile))}


def _open_session(org: Org, arguments: dict[str, Any]) -> dict[str, Any]:
    user_id = org.user_named(str(arguments["username"]))
    if user_id is None:
        raise not_found()
    return {"access_token": org.sessions.open(user_id)}


def _expire(org: Org, _arguments: dict[str, Any]) -> None:
    org.end_all_sessions()


def _hide_field(org: Org, arguments: dict[str, Any]) -> None:
    hidden = arguments.get("hidden", True)
    org.hide_field(str(arguments["sobject"]), str(arguments["field"]), hidden=bool(hidden))


def _hide_row(org: Org, arguments: dict[str, Any]) -> None:
    org.hide_row(_id(arguments["id"]), hidden=bool(arguments.get("hidden", True)))


def _lock_row(org: Org, arguments: dict[str, Any]) -> None:
    org.lock_row(_id(arguments["id"]), int(arguments.get("times", 1)))


def _set_columns(org: Org, arguments: dict[str, Any]) -> None:
    columns = _object(arguments, "columns")
    known = _sobject(org, arguments)
    for name in columns:
        found = known.field_named(name)
        if found is None or found.name != name or not found.stored:
            raise SalesforceError("INVALID_FIELD", f"No such column '{name}' on {known.name}")
    org.set_columns(known.name, _id(arguments["id"]), columns)


def _validation_rule(org: Org, arguments: dict[str, Any]) -> None:
    org.validation_rules.append(
        ValidationRule(
            _sobject(org, arguments).name,
            str(arguments["field"]),
            str(arguments["pattern"]),
            str(arguments["message"]),
        )
    )


def _duplicate_rule(org: Org, arguments: dict[str, Any]) -> None:
    fields = tuple(str(name) for name in arguments["fields"])
    org.duplicate_rules.append(DuplicateRule(_sobject(org, arguments).name, fields))


def _currencies(org: Org, arguments: dict[str, Any]) -> None:
    currencies.switch_on(org, _object(arguments, "rates"))


def _flow(org: Org, arguments: dict[str, Any]) -> None:
    automation.declare_flow(org, str(arguments["name"]), _object(arguments, "metadata"))


def _trigger(org: Org, arguments: dict[str, Any]) -> None:
    name, body = str(arguments["name"]), str(arguments["body"])
    automation.declare_trigger(org, name, str(arguments["sobject"]), body)


Order = Callable[["Org", dict[str, Any]], "dict[str, Any] | None"]
_CONVERSION = {"id", "account_id", "contact_id", "opportunity_name", "fields"}
_ORDERS: dict[str, tuple[Order, set[str]]] = {
    "insert": (_insert, {"sobject", "values"}),
    "update": (_update, {"sobject", "id", "values"}),
    "delete": (_delete, {"sobject", "id", "hard"}),
    "undelete": (_undelete, {"sobject", "id"}),
    "merge": (_merge, {"sobject", "master_id", "loser_ids"}),
    "convert-lead": (_convert, _CONVERSION),
    "archive-activities": (_archive, set()),
    "empty-recycle-bin": (_empty_bin, set()),
    "add-user": (_add_user, {"username", "profile"}),
    "open-session": (_open_session, {"username"}),
    "expire-sessions": (_expire, set()),
    "hide-field": (_hide_field, {"sobject", "field", "hidden"}),
    "hide-row": (_hide_row, {"id", "hidden"}),
    "lock-row": (_lock_row, {"id", "times"}),
    "set-columns": (_set_columns, {"sobject", "id", "columns"}),
    "validation-rule": (_validation_rule, {"sobject", "field", "pattern", "message"}),
    "duplicate-rule": (_duplicate_rule, {"sobject", "fields"}),
    "currencies": (_currencies, {"rates"}),
    "flow": (_flow, {"name", "metadata"}),
    "trigger": (_trigger, {"name", "sobject", "body"}),
}
