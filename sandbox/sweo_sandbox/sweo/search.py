"""The search language of ``/contacts/search`` and ``/companies/search``, compiled to SQLite.

Operators by type, at most two levels of AND/OR, at most 15 filters a group. Up to version 2.16
times are compared by the calendar day in the workspace's time zone, later by the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sweo_sandbox.sweo.attributes import Attributes
from sweo_sandbox.sweo.errors import ApiError, invalid
from sweo_sandbox.sweo.standard_attributes import Model
from sweo_sandbox.sweo.versions import ApiVersion

Kind = Literal["string", "integer", "boolean", "date", "tag", "segment"]
MAX_FILTERS = 15
MAX_DEPTH = 2

_STRING_OPERATORS = frozenset({"=", "!=", "IN", "NIN", "~", "!~", "^", "$"})
_OPERATORS: dict[Kind, frozenset[str]] = {
    "string": _STRING_OPERATORS,
    "boolean": frozenset({"=", "!=", "IN", "NIN"}),
    "integer": frozenset({"=", "!=", "IN", "NIN", "<", ">", "<=", ">="}),
    "date": frozenset({"=", "<", ">"}),
    "tag": frozenset({"=", "!="}),
    "segment": frozenset({"=", "!=", "IN", "NIN"}),
}
_EXACT_DATE_OPERATORS = frozenset({"=", "!=", "<", ">", "<=", ">="})

_CONTACT_TEXT = ("id", "role", "name", "avatar", "owner_id", "email", "phone", "external_id")
_CONTACT_EXTRA_TEXT = (
    "browser",
    "browser_language",
    "browser_version",
    "os",
    "location.country",
    "location.region",
    "location.city",
    "ios_app_version",
    "ios_device",
    "ios_app_device",
    "ios_os_version",
    "ios_app_name",
    "ios_sdk_version",
    "android_app_version",
    "android_device",
    "android_app_name",
    "andoid_sdk_version",
)
_CONTACT_DATES = (
    "created_at",
    "signed_up_at",
    "updated_at",
    "last_seen_at",
    "last_contacted_at",
    "last_replied_at",
)
_CONTACT_EXTRA_DATES = (
    "last_email_opened_at",
    "last_email_clicked_at",
    "ios_last_seen_at",
    "android_last_seen_at",
)
_CONTACT_FLAGS = ("unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced")


@dataclass(frozen=True)
class SearchField:
    """A field as the language sees it, and the SQL expression that reads it."""

    sql: str
    kind: Kind


def _contact_fields() -> dict[str, SearchField]:
    extra = "json_extract(contact.extra, '$.{}')"
    fields = {name: SearchField(f"contact.{name}", "string") for name in _CONTACT_TEXT}
    fields["language_override"] = SearchField("contact.language_override", "string")
    fields["formatted_phone"] = SearchField("contact.phone", "string")
    fields["email_domain"] = SearchField(
        "substr(contact.email, instr(contact.email, '@') + 1)", "string"
    )
    fields |= {n: SearchField(extra.format(n), "string") for n in _CONTACT_EXTRA_TEXT}
    fields |= {n: SearchField(f"contact.{n}", "date") for n in _CONTACT_DATES}
    fields |= {n: SearchField(extra.format(n), "date") for n in _CONTACT_EXTRA_DATES}
    fields |= {n: SearchField(f"contact.{n}", "boolean") for n in _CONTACT_FLAGS}
    fields["tag_id"] = SearchField("contact.id", "tag")
    fields["segment_id"] = SearchField("contact.id", "segment")
    return fields


_COMPANY_FIELDS: dict[str, SearchField] = {
    "company_id": SearchField("company.company_id", "string"),
    "name": SearchField("company.name", "string"),
    "created_at": SearchField("company.created_at", "date"),
    "updated_at": SearchField("company.updated_at", "date"),
    "remote_created_at": SearchField("company.remote_created_at", "date"),
    "last_request_at": SearchField("company.last_request_at", "date"),
    "monthly_spend": SearchField("company.monthly_spend", "integer"),
    "session_count": SearchField("company.session_count", "integer"),
    "user_count": SearchField(
        "(SELECT COUNT(*) FROM membership WHERE membership.company_id = company.id)", "integer"
    ),
    "tag_id": SearchField("company.id", "tag"),
}
_STANDARD_FIELDS: dict[Model, dict[str, SearchField]] = {
    "contact": _contact_fields(),
    "company": _COMPANY_FIELDS,
}
_CUSTOM_KINDS: dict[str, Kind] = {
    "string": "string",
    "options": "string",
    "integer": "integer",
    "float": "integer",
    "boolean": "boolean",
    "date": "date",
    "datetime": "date",
}


@dataclass
class Condition:
    """A WHERE expression and its parameters, in order."""

    sql: str
    parameters: list[Any]


class SearchCompiler:
    """Compiles the queries of one request.

    ``segments`` gives the stored query of a segment by id, or None.
    """

    def __init__(
        self,
        model: Model,
        attributes: Attributes,
        version: ApiVersion,
        timezone: str,
        segments: dict[str, Any],
    ) -> None:
        self._model = model
        self._custom = attributes.by_name(model)
        self._version = version
        self._timezone = ZoneInfo(timezone)
        self._segments = segments

    def field(self, name: Any) -> SearchField:
        """The field of that name.

        Raises:
            ApiError: 400 ``invalid_field``.
        """
        if isinstance(name, str):
            known = _STANDARD_FIELDS[self._model].get(name)
            if known is not None:
                return known
            prefix, _, custom = name.partition(".")
            attribute = self._custom.get(custom) if prefix == "custom_attributes" else None
            if attribute is not None:
                path = '$."' + attribute.name.replace("'", "''") + '"'
                return SearchField(
                    f"json_extract({self._model}.custom_attributes, '{path}')",
                    _CUSTOM_KINDS[attribute.data_type],
                )
        raise ApiError(400, "invalid_field", f"{name} is not a valid search field")

    def compile(self, query: Any, depth: int = 0) -> Condition:
        """The condition of a query object.

        Raises:
            ApiError: the query breaks the language's rules.
        """
        if not isinstance(query, dict) or "operator" not in query:
            raise invalid("query must be an object with an operator and a value", field="query")
        if query["operator"] in ("AND", "OR"):
            return self._group(query, depth)
        return self._filter(query)

    def _group(self, query: dict[str, Any], depth: int) -> Condition:
        filters = query.get("value")
        if not isinstance(filters, list) or not filters:
            raise invalid(f"The value of {query['operator']} must be a list of filters")
        if depth >= MAX_DEPTH:
            raise invalid(f"You can only nest up to {MAX_DEPTH} levels of filters")
        if len(filters) > MAX_FILTERS:
            raise invalid(f"You can only have up to {MAX_FILTERS} filters in a group")
        parts = [self.compile(part, depth + 1) for part in filters]
        joined = f" {query['operator']} ".join(part.sql for part in parts)
        return Condition(f"({joined})", [p for part in parts for p in part.parameters])

    def _filter(self, query: dict[str, Any]) -> Condition:
        name, operator, value = query.get("field"), query["operator"], query.get("value")
        field = self.field(name)
        allowed = _OPERATORS[field.kind]
        if field.kind == "date" and self._version.exact_seconds:
            allowed = _EXACT_DATE_OPERATORS
        if not isinstance(operator, str) or operator not in allowed:
            raise ApiError(
                400, "invalid_operator", f"{operator} is not a valid operator for {name}"
            )
        if field.kind == "tag":
            return self._tagged(operator, value)
        if field.kind == "segment":
            return self._in_segment(operator, value)
        if field.kind == "date" and value is not None:
            return self._date(field, name, operator, value)
        if operator in ("IN", "NIN"):
            return self._list(field, name, operator, value)
        return self._scalar(field, name, operator, value)

    def _scalar(self, field: SearchField, name: Any, operator: str, value: Any) -> Condition:
        if value is None:
            if operator not in ("=", "!="):
                raise invalid(f"{name} cannot be compared with null by {operator}")
            return Condition(f"({field.sql} IS {'NOT ' * (operator == '!=')}NULL)", [])
        checked = _check(field.kind, name, value)
        if operator == "=":
            return Condition(f"({field.sql} = ?)", [checked])
        if operator == "!=":
            return Condition(f"({field.sql} IS NOT ?)", [checked])
        if operator in ("<", ">", "<=", ">="):
            return Condition(f"({field.sql} {operator} ?)", [checked])
        pattern = _like(operator, str(checked))
        if operator == "!~":
            sql = f"({field.sql} IS NULL OR {field.sql} NOT LIKE ? ESCAPE '\\')"
        else:
            sql = f"({field.sql} LIKE ? ESCAPE '\\')"
        return Condition(sql, [pattern])

    def _list(self, field: SearchField, name: Any, operator: str, value: Any) -> Condition:
        if not isinstance(value, list) or not value:
            raise invalid(f"The value of {operator} must be an array")
        checked = [_check(field.kind, name, v) for v in value]
        marks = ", ".join("?" * len(checked))
        if operator == "IN":
            return Condition(f"({field.sql} IN ({marks}))", checked)
        return Condition(f"({field.sql} IS NULL OR {field.sql} NOT IN ({marks}))", checked)

    def _date(self, field: SearchField, name: Any, operator: str, value: Any) -> Condition:
        seconds = _check("date", name, value)
        if self._version.exact_seconds:
            return Condition(
                f"({field.sql} {'IS NOT' if operator == '!=' else operator} ?)", [seconds]
            )
        start, following = self._day(seconds)
        if operator == "=":
            return Condition(f"({field.sql} >= ? AND {field.sql} < ?)", [start, following])
        if operator == ">":
            return Condition(f"({field.sql} >= ?)", [following])
        return Condition(f"({field.sql} < ?)", [start])

    def _day(self, seconds: int) -> tuple[int, int]:
        """The start of the workspace's day around an instant, and of the day after it."""
        try:
            moment = datetime.fromtimestamp(seconds, self._timezone)
        except (OverflowError, ValueError, OSError):
            raise invalid("a time is outside the calendar") from None
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        following = (start + timedelta(days=1)).replace(fold=0)
        return int(start.timestamp()), int(following.timestamp())

    def _tagged(self, operator: str, value: Any) -> Condition:
        sql = (
            f"({self._model}.id {'NOT ' * (operator == '!=')}IN (SELECT object_id FROM tagging "  # noqa: S608
            f"WHERE model = '{self._model}' AND tag_id = ?))"
        )
        return Condition(sql, [str(value)])

    def _in_segment(self, operator: str, value: Any) -> Condition:
        wanted = value if operator in ("IN", "NIN") else [value]
        if not isinstance(wanted, list) or not wanted:
            raise invalid(f"The value of {operator} must be an array")
        parts: list[Condition] = []
        for segment_id in wanted:
            query = self._segments.get(str(segment_id))
            parts.append(Condition("0", []) if query is None else self.compile(query, -1))
        joined = " OR ".join(part.sql for part in parts)
        negation = "NOT " if operator in ("!=", "NIN") else ""
        return Condition(
            f"({negation}COALESCE(({joined}), 0))", [p for part in parts for p in part.parameters]
        )


def _check(kind: Kind, name: Any, value: Any) -> Any:
    """The value as SQL compares it; numbers may come as strings of digits."""
    if kind == "string":
        if isinstance(value, bool | dict | list):
            raise invalid(f"The value for {name} must be a string")
        return str(value)
    if kind == "boolean":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return int(value.lower() == "true")
        if not isinstance(value, bool):
            raise invalid(f"The value for {name} must be a boolean")
        return int(value)
    if isinstance(value, bool) or (
        kind == "date" and isinstance(value, float) and not value.is_integer()
    ):
        raise invalid(f"The value for {name} must be a {kind}")
    try:
        number = float(value) if kind == "integer" and "." in str(value) else int(value)
    except (ValueError, TypeError, OverflowError):
        raise invalid(f"The value for {name} must be a {kind}") from None
    if abs(number) >= 2**63:
        raise invalid(f"The value for {name} is out of range")
    return number


def _like(operator: str, text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"^": f"{escaped}%", "$": f"%{escaped}"}.get(operator, f"%{escaped}%")
