"""``/composite``: up to 25 requests in one call, at most five of them queries or collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from crosswalk.errors import FatalError

from salesforce_client.connection import Answer, Connection
from salesforce_client.errors import RequestRefusedError, vendor_errors
from salesforce_client.transport import ServerTimes

MAX_SUBREQUESTS: Final = 25
MAX_QUERIES: Final = 5
"""Queries, further pages and collections of one composite, together."""


@dataclass(frozen=True, slots=True)
class Subrequest:
    """One part. ``path`` is relative to the version's root, or starts with ``/services/``."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One part's answer; ``times`` are those of the whole call."""

    status: int
    body: Any
    times: ServerTimes

    @property
    def refusal(self) -> RequestRefusedError | None:
        """The part's error, if it has one."""
        if 200 <= self.status < 300:
            return None
        return RequestRefusedError(self.status, vendor_errors(self.body))

    def checked(self) -> Any:
        """The body.

        Raises:
            RequestRefusedError: the part failed.
        """
        refusal = self.refusal
        if refusal:
            raise refusal
        return self.body


def query_path(soql: str, *, deleted_too: bool = True) -> str:
    """The path of a query with its text in the URL, deleted rows included by default."""
    return f"{'queryAll' if deleted_too else 'query'}?q={quote(soql, safe='')}"


def read_composite(connection: Connection, parts: Sequence[Subrequest]) -> list[Part]:
    """Ask several things that change nothing in one call; one answer each, in order.

    A part that fails does not fail the others. Trouble that passes is waited out, also where
    only a part met it.

    Raises:
        RetryLaterError: the trouble outlasted the retries, or a limit is reached.
        FatalError: the call as a whole was refused.
    """

    def inspect(answer: Answer) -> None:
        for part in _parts(answer, len(parts)):
            if part.refusal and part.refusal.transient:
                raise part.refusal

    body = _body(connection, parts)
    try:
        answer = connection.read("composite", method="POST", body=body, inspect=inspect)
    except RequestRefusedError as refusal:
        raise refusal.sorted() from None
    return _parts(answer, len(parts))


def write_composite(
    connection: Connection, parts: Sequence[Subrequest], headers: Mapping[str, str]
) -> list[Part]:
    """Change several things in one call, each on its own; one answer each, in order.

    Raises:
        As ``Connection.write``.
    """
    answer = connection.write(
        "POST", "composite", body=_body(connection, parts, headers), headers=headers
    )
    return _parts(answer, len(parts))


def _body(
    connection: Connection, parts: Sequence[Subrequest], headers: Mapping[str, str] | None = None
) -> dict[str, object]:
    if len(parts) > MAX_SUBREQUESTS:
        raise ValueError("a composite holds 25 subrequests")
    subrequests = []
    for number, part in enumerate(parts):
        path = part.path
        if not path.startswith("/"):
            path = f"{connection.data_path}/{path}"
        subrequest: dict[str, object] = {
            "method": part.method,
            "url": path,
            "referenceId": f"part{number}",
        }
        if part.body is not None:
            subrequest["body"] = part.body
        own_headers = {**(headers or {}), **part.headers}
        if own_headers:
            subrequest["httpHeaders"] = own_headers
        subrequests.append(subrequest)
    return {"allOrNone": False, "compositeRequest": subrequests}


def _parts(answer: Answer, expected: int) -> list[Part]:
    entries = answer.body.get("compositeResponse") if isinstance(answer.body, dict) else None
    if not isinstance(entries, list) or len(entries) != expected:
        raise FatalError("Salesforce's answer to a composite does not match what was asked.")
    by_reference = {entry["referenceId"]: entry for entry in entries}
    return [
        Part(entry["httpStatusCode"], entry.get("body"), answer.times)
        for entry in (by_reference[f"part{number}"] for number in range(expected))
    ]
