"""Who makes the changes of the present request, and through which API."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..salesforce.web import Request

LATEST_API_VERSION = "62.0"


@dataclass(frozen=True, slots=True)
class ChangeOrigin:
    """``text`` is ``ChangeEventHeader.changeOrigin``; ``user_id`` None is the org's human user."""

    text: str = f"com/salesforce/api/soap/{LATEST_API_VERSION};client=SfdcInternalAPI/"
    user_id: str | None = None


# An edit in the browser reaches the vendor's database as a call of its own internal SOAP client.
IN_THE_BROWSER = ChangeOrigin()
CHANGE_ORIGIN: ContextVar[ChangeOrigin] = ContextVar("CHANGE_ORIGIN", default=IN_THE_BROWSER)


def origin_of(request: Request) -> ChangeOrigin:
    """The origin of what a request changes; ``Sforce-Call-Options: client=NAME`` names the client.

    How the vendor shows a call without a client name is documented nowhere; here it ends after
    the version.
    """
    path = request.path.lower()
    api = "rest"
    if path.startswith("/jobs/"):
        api = "bulkapi"
    elif path.startswith("/tooling/"):
        api = "toolingrest"
    client = _client_of(request.headers.get("sforce-call-options", ""))
    text = f"com/salesforce/api/{api}/{request.version}"
    return ChangeOrigin(f"{text};client={client}" if client else text, request.user_id or None)


def _client_of(call_options: str) -> str:
    for option in call_options.split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "client":
            return value.strip()
    return ""
