"""The vendor's errors: one exception, and the ones that several places raise by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class SalesforceError(Exception):
    """What a request, or a row of one, is refused with.

    ``status`` is the HTTP status when the whole request is refused; in a row result only code,
    message and fields appear. ``extra`` joins the error object (``duplicateResult``). ``at`` is
    the key in the body that a JSON_PARSER_ERROR is about.
    """

    at: str | None = None

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        fields: Sequence[str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = None if fields is None else list(fields)
        self.extra = extra or {}

    def rest_body(self) -> list[dict[str, Any]]:
        """The list of one error object that a REST answer carries."""
        body: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            body["fields"] = self.fields
        return [{**body, **self.extra}]

    def row_body(self) -> dict[str, Any]:
        """The error object of a collection's row: ``statusCode``, not ``errorCode``."""
        return {
            "statusCode": self.code,
            "message": self.message,
            "fields": self.fields or [],
            **self.extra,
        }

    def bulk_text(self) -> str:
        """``sf__Error`` of a Bulk 2 result row."""
        return f"{self.code}:{self.message}:{' '.join(self.fields or [])} --"


def not_found(message: str = "The requested resource does not exist") -> SalesforceError:
    """No such path, record or job."""
    return SalesforceError("NOT_FOUND", message, 404)


def method_not_allowed(method: str, allowed: Sequence[str]) -> SalesforceError:
    """A known path, but not with this verb."""
    return SalesforceError(
        "METHOD_NOT_ALLOWED",
        f"HTTP Method '{method}' not allowed. Allowed are {','.join(allowed)}",
        405,
    )


def invalid_session() -> SalesforceError:
    """No token, an unknown one, or one that has expired: the request was not looked at."""
    return SalesforceError("INVALID_SESSION_ID", "Session expired or invalid", 401)


def request_limit_exceeded() -> SalesforceError:
    """The org's daily calls are used up."""
    return SalesforceError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)


def invalid_type(name: str) -> SalesforceError:
    """An object that the org does not have, named in a body."""
    return SalesforceError(
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported.",
    )


def entity_is_deleted(status: int = 404) -> SalesforceError:
    """The record is in the recycle bin."""
    return SalesforceError("ENTITY_IS_DELETED", "entity is deleted", status, [])


def invalid_cross_reference(field: str | None = None) -> SalesforceError:
    """An id that names no record, or none that may be seen."""
    return SalesforceError(
        "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 400, [field] if field else []
    )


def json_parser_error(message: str) -> SalesforceError:
    """A body that is no JSON, or whose values have the wrong JSON type."""
    return SalesforceError("JSON_PARSER_ERROR", message, 400)


def unable_to_lock_row() -> SalesforceError:
    """Another transaction holds the row."""
    return SalesforceError(
        "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", 400, []
    )
