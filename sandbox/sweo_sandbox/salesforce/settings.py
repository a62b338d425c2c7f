"""How an org is set up: credentials, limits, sessions, assignment rules."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class OrgSettings:
    """Everything that a test or the command line may choose about the org.

    ``org_number`` tells several orgs of one machine apart: the ids of the org and of all its
    records are its own. ``jwt_public_key`` is PEM text; ``access_token`` is a ready session of the
    integration user that ends only on demand. ``assignment_rules`` maps an object (Lead, Case) to
    the queue user's name that its rule gives records to. ``daily_calls`` is the M of
    ``api-usage=N/M``.
    ``bulk_seconds`` is how long a Bulk job stays InProgress. A change event stream gets an empty
    answer after ``pubsub_keepalive_seconds`` without events, and is closed after
    ``pubsub_idle_seconds`` without a request when nothing more was asked for.
    ``currencies`` are rates by ISO code against the first, the corporate one; without any, the org
    has one currency and no ``CurrencyIsoCode``.
    """

    org_number: int = 1
    client_id: str = "sandbox_client_id"
    client_secret: str = "sandbox_client_secret"  # noqa: S105
    refresh_token: str = "5Aep_sandbox_refresh_token"  # noqa: S105
    access_token: str | None = None
    username: str = "integration@sandbox.example"
    password: str = "sandbox_password"  # noqa: S105
    security_token: str = "sandboxSecurityToken"  # noqa: S105
    jwt_public_key: str | None = None
    session_seconds: int = 7200
    instance_url: str | None = None
    rotate_refresh_token: bool = False
    daily_calls: int = 100_000
    custom_fields_per_object: int = 500
    assignment_rules: dict[str, str] = field(
        default_factory=lambda: {"Lead": "Queue", "Case": "Queue"}
    )
    bulk_seconds: float = 0.0
    bulk_page_rows: int = 50_000
    pubsub_keepalive_seconds: float = 270.0
    pubsub_idle_seconds: float = 60.0
    currencies: dict[str, float] = field(default_factory=dict)
    organization_name: str = "Sweo Sync Sandbox"
