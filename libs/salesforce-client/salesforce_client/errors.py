"""What Salesforce's error codes mean: what happens next, and what a person can do.

Codes are Salesforce's ``errorCode`` (a whole request) or ``statusCode`` (one row of a
collection); both draw on the same list. The HTTP status alone tells too little: a locked row
and a mistyped name are both 400.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from crosswalk.errors import FatalError, RetryLaterError, SyncError


class Next(Enum):
    """What happens after an error."""

    FATAL = "fatal"
    """Nothing gets better until a person acts."""
    RETRY = "retry"
    """Surely not applied; the same request may succeed a moment or a day later."""
    QUARANTINE = "quarantine"
    """One record is to blame."""
    GONE = "gone"
    """The record is deleted."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from one error code, and the sentence for whoever must act."""

    next: Next
    remedy: str


_FATAL: Mapping[str, str] = {
    "API_DISABLED_FOR_ORG": "the org's edition has no API access, or the user lacks 'API Enabled'",
    "API_CURRENTLY_DISABLED": "the API is switched off for this org",
    "CLIENT_NOT_ACCESSIBLE_FOR_USER": "the user may not use this connected app",
    "INSUFFICIENT_ACCESS": "the user lacks a permission on the object",
    "INVALID_LOGIN": "check the login settings",
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": "the user's password has expired",
    "INVALID_TYPE": "the object does not exist or the user may not see it",
    "MALFORMED_QUERY": "Salesforce did not accept the query",
    "INVALID_FIELD": "a field does not exist or field-level security hides it",
    "UNSUPPORTED_API_VERSION": "check the setting api_version",
}
_RETRY: Mapping[str, str] = {
    "REQUEST_LIMIT_EXCEEDED": "the org's API calls are used up; the next run goes on",
    "REQUEST_RUNNING_TOO_LONG": "the request took too long",
    "QUERY_TIMEOUT": "the query took longer than two minutes",
    "SERVER_UNAVAILABLE": "Salesforce is not available",
    "UNABLE_TO_LOCK_ROW": "another process holds a lock on the record or its parent",
    "STORAGE_LIMIT_EXCEEDED": "the org's data storage is full",
    "EXCEEDED_MAX_TRANSACTIONS": "too many requests at once",
    "ORG_LOCKED": "the org is locked",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": "rolled back together with another record",
    "PROCESSING_HALTED": "an earlier part of the same request failed",
}
_GONE: Mapping[str, str] = {
    "ENTITY_IS_DELETED": "the record is in the recycle bin or gone",
    "NOT_FOUND": "the record does not exist or sharing hides it",
}
_QUARANTINE: Mapping[str, str] = {
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "an Apex trigger or flow refused the record",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "a flow failed on the record",
    "CANNOT_UPDATE_CONVERTED_LEAD": "the lead is converted; converted leads are never written",
    "DUPLICATES_DETECTED": "a duplicate rule found a similar record; merge them or allow saving",
    "DUPLICATE_VALUE": "another record already holds this unique value",
    "DUPLICATE_EXTERNAL_ID": "the external id stands on several records or twice in one request",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule refused the record",
    "FIELD_FILTER_VALIDATION_EXCEPTION": "a lookup filter refused the value",
    "FIELD_INTEGRITY_EXCEPTION": "the value does not fit the other fields of the record",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "the user may not see the related record",
    "INSUFFICIENT_ACCESS_OR_READONLY": "the user may not edit the record; check sharing",
    "INVALID_CROSS_REFERENCE_KEY": "a lookup or record type names a record that is not there",
    "INVALID_EMAIL_ADDRESS": "Salesforce does not take this as an email address",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "the field is read-only for this user",
    "INVALID_FIELD": "the field does not exist or field-level security hides it",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "the value is not among the picklist's values",
    "INVALID_TYPE_ON_FIELD_IN_RECORD": "the value has the wrong type for the field",
    "JSON_PARSER_ERROR": "the value has the wrong type for the field",
    "MALFORMED_ID": "an id has the wrong form",
    "NUMBER_OUTSIDE_VALID_RANGE": "the number has too many digits for the field",
    "REQUIRED_FIELD_MISSING": "a required field is empty",
    "STRING_TOO_LONG": "the text is longer than the field",
}


def meaning_of(code: str, *, row: bool = False) -> Meaning:
    """What a code means; ``row`` says that it was told of one row, not of a request.

    A code that nobody listed blames the row it was told of, else ends the run.
    """
    if code in _RETRY:
        return Meaning(Next.RETRY, _RETRY[code])
    if code in _GONE:
        return Meaning(Next.GONE, _GONE[code])
    if not row and code in _FATAL:
        return Meaning(Next.FATAL, _FATAL[code])
    if code in _QUARANTINE:
        return Meaning(Next.QUARANTINE, _QUARANTINE[code])
    remedy = _FATAL.get(code, "see the code in Salesforce's documentation")
    return Meaning(Next.QUARANTINE if row else Next.FATAL, remedy)


@dataclass(frozen=True, slots=True)
class VendorError:
    """One entry of an error body. ``message`` may hold values: it is never logged."""

    code: str
    message: str = ""
    fields: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Code, fields and remedy, without any value."""
        fields = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.code}{fields}: {meaning_of(self.code, row=True).remedy}"


def vendor_errors(body: object) -> tuple[VendorError, ...]:
    """The entries of an error body, whichever of Salesforce's shapes it has; () for others."""
    if isinstance(body, Mapping):
        body = body.get("errors") or [body]
    if not isinstance(body, Sequence) or isinstance(body, (str, bytes)):
        return ()
    found: list[VendorError] = []
    for entry in body:
        if not isinstance(entry, Mapping):
            continue
        code = entry.get("errorCode") or entry.get("statusCode") or entry.get("error")
        if isinstance(code, str) and code:
            fields = entry.get("fields") or ()
            found.append(
                VendorError(
                    code,
                    str(entry.get("message") or ""),
                    tuple(str(f) for f in fields) if isinstance(fields, Sequence) else (),
                )
            )
    return tuple(found)


class RequestRefusedError(SyncError):
    """An answer outside 2xx, sorted by the caller: it alone knows what the request was for.

    ``not_applied`` is True where Salesforce itself says that nothing was done.
    """

    def __init__(
        self, status: int, errors: tuple[VendorError, ...], request_id: str | None = None
    ) -> None:
        self.status = status
        self.errors = errors
        self.request_id = request_id
        super().__init__(self.sentence())

    @property
    def code(self) -> str:
        """The first error's code, or the HTTP status where the body named none."""
        return self.errors[0].code if self.errors else f"HTTP_{self.status}"

    @property
    def not_applied(self) -> bool:
        """Whether a write that met this answer surely did not happen."""
        return self.status < 500 or (self.status == 503 and bool(self.errors))

    @property
    def transient(self) -> bool:
        """Whether the same read may succeed in a moment."""
        if self.errors and self.code != "REQUEST_LIMIT_EXCEEDED":
            return self.status in (429, 500, 502, 503, 504) or (
                meaning_of(self.code).next is Next.RETRY
            )
        return not self.errors and self.status in (429, 500, 502, 503, 504)

    def sentence(self) -> str:
        """One sentence with status, code, fields and remedy."""
        about = self.errors[0].sentence() if self.errors else "no error code in the answer"
        request = f", request {self.request_id}" if self.request_id else ""
        return f"Salesforce answered {self.status} {about}{request}."

    def sorted(self) -> SyncError:
        """The same as an error that ends the run, now or until later."""
        kind = meaning_of(self.code).next if self.errors else None
        if kind is Next.RETRY or self.transient:
            return RetryLaterError(str(self))
        return FatalError(str(self))
