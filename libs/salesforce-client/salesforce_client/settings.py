"""The settings by which a plugin reaches an org, told once for every plugin that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from salesforce_client.auth import login_from
from salesforce_client.budget import DailyBudget
from salesforce_client.connection import API_VERSION, Connection


@dataclass(frozen=True, slots=True)
class Setting:
    """One text setting of a plugin."""

    name: str
    title: str
    description: str
    secret: bool = False
    default: str | None = None
    allowed: tuple[str, ...] | None = None


LOGIN_SETTINGS: Final = (
    Setting(
        "login_url",
        "Login URL",
        "Where tokens are issued: the org's My Domain, for example "
        "`https://acme.my.salesforce.com`. Required for client credentials; otherwise "
        "`https://login.salesforce.com` where it is left out.",
    ),
    Setting(
        "instance_url",
        "Instance URL",
        "The org's address; needed beside `access_token` only.",
    ),
    Setting("client_id", "Consumer key", "The consumer key of the External Client App."),
    Setting(
        "client_secret",
        "Consumer secret",
        "The app's consumer secret. Alone with `client_id` it means the client credentials flow.",
        secret=True,
    ),
    Setting("username", "Username", "The user a JWT is issued for; needed beside `private_key`."),
    Setting(
        "private_key",
        "Private key",
        "RSA key in PEM form for the JWT bearer flow; `\\n` may stand for a line end.",
        secret=True,
    ),
    Setting(
        "refresh_token",
        "Refresh token",
        "For the refresh token flow. The app must not rotate refresh tokens.",
        secret=True,
    ),
    Setting(
        "access_token",
        "Access token",
        "A session made elsewhere; used first, and renewed only where another login is set too.",
        secret=True,
    ),
    Setting("api_version", "API version", "Version of the REST API.", default=API_VERSION),
    Setting(
        "environment",
        "Environment",
        "`sandbox` refuses every host but this machine, `prod` refuses this machine; left out, "
        "both are taken.",
        allowed=("sandbox", "prod"),
    ),
)

DAILY_CALLS: Final = Setting(
    "daily_api_calls",
    "Daily API calls",
    "The most Salesforce API calls that all runs of this project, both directions together, may "
    "make within 24 hours; a run that would exceed them ends, and a later one goes on. Default: a "
    "fifth of the org's allotment. 0: no limit.",
)
"""The setting that ``connection_from`` reads as a number, or as None where it is left out."""


def connection_from(
    settings: Mapping[str, object],
    *,
    limit_calls: int | None = None,
    earlier_calls: Callable[[], int] = lambda: 0,
) -> Connection:
    """A connection as the settings describe it; nothing is sent yet.

    ``earlier_calls`` tells how many calls our runs made within 24 hours before this one.

    Raises:
        FatalError: a setting is missing or forbidden; the sentence names it.
    """
    version = str(settings.get("api_version") or API_VERSION)
    daily = settings.get("daily_api_calls")
    budget = None
    if daily != 0:
        limit = None if daily is None else int(str(daily))
        budget = DailyBudget(earlier_calls, limit)
    return Connection(
        login_from(settings), api_version=version, limit_calls=limit_calls, budget=budget
    )
