"""Vendor errors, sorted by what happens next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from crosswalk.errors import RetryLaterError


class Next(str, Enum):
    """What to do about a refusal."""

    FATAL = "fatal"
    RETRY = "retry"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code means here; ``remedy`` is a sentence for a person."""

    next: Next
    remedy: str


TOKEN: Final = Verdict(
    Next.FATAL,
    "Sweo does not accept the access token: set a valid SWEO_ACCESS_TOKEN (`access_token`).",
)
PERMISSION: Final = Verdict(
    Next.FATAL,
    "The access token lacks a permission: let its app read and write people, companies and "
    "data attributes.",
)
LIMIT: Final = Verdict(Next.RETRY, "Sweo's rate limit was met; the next run goes on from here.")
OUTAGE: Final = Verdict(Next.RETRY, "Sweo could not answer; the next run goes on from here.")

VERDICTS: Final[Mapping[str, Verdict]] = {
    "unauthorized": TOKEN,
    "token_unauthorized": TOKEN,
    "token_not_found": TOKEN,
    "token_revoked": TOKEN,
    "token_blocked": TOKEN,
    "token_expired": TOKEN,
    "missing_authorization": TOKEN,
    "token_suspended": TOKEN,
    "forbidden": PERMISSION,
    "api_plan_restricted": Verdict(
        Next.FATAL, "The workspace's plan does not include this part of the API."
    ),
    "unsupported_version": Verdict(
        Next.FATAL, "Sweo does not know this API version: correct `sweo_version`."
    ),
    "intercom_version_invalid": Verdict(
        Next.FATAL, "Sweo does not know this API version: correct `sweo_version`."
    ),
    "rate_limit_exceeded": LIMIT,
    "service_unavailable": OUTAGE,
    "server_error": OUTAGE,
    "server_timeout": OUTAGE,
    "not_found": Verdict(Next.QUARANTINE, "The record is gone in Sweo."),
    "company_not_found": Verdict(Next.QUARANTINE, "The company is gone in Sweo."),
    "contact_merged": Verdict(
        Next.QUARANTINE, "The contact was merged into another one, which is linked instead."
    ),
    "conflict": Verdict(
        Next.QUARANTINE, "Another contact has this email or external_id: merge or correct one."
    ),
    "archived_conflict": Verdict(
        Next.QUARANTINE,
        "An archived contact has this email or external_id: unarchive it or delete it for good.",
    ),
    "parameter_invalid": Verdict(
        Next.QUARANTINE, "Sweo does not take this value: correct it at its source."
    ),
    "parameter_not_found": Verdict(
        Next.QUARANTINE, "The attribute is missing or archived in Sweo: make it, or unmap it."
    ),
    "data_invalid": Verdict(
        Next.QUARANTINE, "Sweo does not take this value: correct it at its source."
    ),
    "contact_company_limit_exceeded": Verdict(
        Next.QUARANTINE, "The contact belongs to 1,000 companies already: detach one."
    ),
}
OTHER: Final = Verdict(Next.QUARANTINE, "Sweo refused the record; its code says why.")


def verdict_of(status: int, code: str) -> Verdict:
    """Sort an error answer; an unknown code is judged by its HTTP status."""
    if code in VERDICTS:
        return VERDICTS[code]
    by_status = {401: TOKEN, 403: PERMISSION, 429: LIMIT}
    if status in by_status:
        return by_status[status]
    return OUTAGE if status >= 500 else OTHER


_CONFLICT = re.compile(
    r"(?P<archived>an archived )?contact matching those details already exists"
    r".*?\bid=(?P<id>[0-9A-Za-z_-]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """The contact that a 409 names."""

    id: str
    archived: bool


def conflict_of(message: str) -> Conflict | None:
    """Read the id out of a 409's message; the API gives it nowhere else."""
    found = _CONFLICT.search(message)
    return Conflict(found["id"], bool(found["archived"])) if found else None


class SweoRefusal(Exception):  # noqa: N818
    """Sweo answered that it did not do what it was asked.

    ``message`` is the vendor's, with every value that the request carried taken out.
    ``conflict`` is the contact that a 409 names. ``survivor`` is the path of the record that this
    one was merged into (410, ``Link rel=canonical``). ``read_at`` and ``answered_at`` are as in
    ``client.Answer``.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        request_id: str | None = None,
        conflict: Conflict | None = None,
        survivor: str | None = None,
        read_at: int = 0,
        answered_at: int = 0,
    ) -> None:
        super().__init__(f"{code} ({status})")
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.request_id = request_id
        self.conflict = conflict
        self.survivor = survivor
        self.read_at = read_at
        self.answered_at = answered_at

    @property
    def verdict(self) -> Verdict:
        """What to do about it."""
        return verdict_of(self.status, self.code)


class ScrollUnavailableError(RetryLaterError):
    """The workspace's one scroll is taken, or this one broke and cannot be taken up again."""


def without_values(message: str, body: object) -> str:
    """Take every value that ``body`` carries out of a vendor's message."""
    for value in sorted(_values_in(body), key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", message)
    return message[:500]


def _values_in(body: object) -> set[str]:
    if isinstance(body, dict):
        return set().union(*(_values_in(v) for v in body.values()))
    if isinstance(body, list):
        return set().union(*(_values_in(v) for v in body))
    if isinstance(body, str):
        return {body} if body.strip() else set()
    if isinstance(body, (int, float)) and not isinstance(body, bool):
        return {str(body)}
    return set()
