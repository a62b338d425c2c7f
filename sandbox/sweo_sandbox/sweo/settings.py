"""What a workspace is told at its start, and the switches that the control desk may turn."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass
class WorkspaceSettings:
    """One workspace.

    ``requests_per_minute`` None turns the rate limit off. ``index_lag_seconds`` is how far
    search, list and scroll run behind the records. ``enforce_identity`` refuses messenger
    sessions that carry no signed token. ``default_version`` holds where a request names none.
    """

    workspace_id: str = "sweosbx1"
    name: str = "Sweo Sandbox"
    timezone: str = "America/Los_Angeles"
    access_token: str = "sandbox-sweo-access-token"  # noqa: S105 - opens this sandbox only
    client_secret: str = "sandbox-sweo-client-secret"  # noqa: S105
    jwt_secret: str = "sandbox-sweo-messenger-jwt-secret-0123456789"  # noqa: S105
    default_version: str = "2.16"
    requests_per_minute: int | None = 10_000
    index_lag_seconds: float = 0.0
    enforce_identity: bool = False
    companies_enabled: bool = True
    scroll_page_size: int = 100

    def switch(self, changes: dict[str, Any]) -> None:
        """Turn some of :data:`SWITCHES`.

        Raises:
            ValueError: a name is no switch, or a value is not of the switch's kind.
        """
        for name, value in changes.items():
            if name not in SWITCHES:
                raise ValueError(f"{name!r} is none of {', '.join(sorted(SWITCHES))}")
            if not isinstance(value, SWITCHES[name]) or (
                isinstance(value, bool) and bool not in SWITCHES[name]
            ):
                raise ValueError(f"{value!r} is no value for {name}")
        for name, value in changes.items():
            setattr(self, name, value)

    def switches(self) -> dict[str, Any]:
        """The present setting of every switch."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in SWITCHES}


SWITCHES: dict[str, tuple[type, ...]] = {
    "timezone": (str,),
    "default_version": (str,),
    "requests_per_minute": (int, type(None)),
    "index_lag_seconds": (int, float),
    "enforce_identity": (bool,),
    "companies_enabled": (bool,),
    "scroll_page_size": (int,),
}
