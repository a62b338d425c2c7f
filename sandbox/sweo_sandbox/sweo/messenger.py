"""Messenger sessions: a visitor's page opens one, with a signed token or without.

A token is a JWT signed with HS256 and one of the workspace's active Messenger secrets. It must
carry ``user_id``; ``email``, ``name``, ``company.id`` and custom attributes are optional.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo import values
from sweo_sandbox.sweo.errors import ApiError, invalid

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

_TOKEN_KEYS = ("intercom_user_jwt", "sweo_user_jwt")
_RESERVED = frozenset(
    {"user_id", "email", "name", "phone", "company", "exp", "iat", "nbf", "iss", "aud", "sub"}
    | {"jti", "created_at", *_TOKEN_KEYS}
)
_PLATFORMS = ("supports_android", "supports_ios", "supports_web")


class Messenger:
    """Sessions and their secrets."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def open_session(self, body: dict[str, Any]) -> dict[str, Any]:
        """Note a visit: the contact is made if new, and its ``updated_at`` moves.

        Raises:
            ApiError: 400 when enforcement is on and no token came; 401 for a token that is
                forged, expired, unsigned or signed otherwise; 400 for one without ``user_id``.
        """
        token = next((body[key] for key in _TOKEN_KEYS if body.get(key)), None)
        if token is None and self._workspace.settings.enforce_identity:
            raise ApiError(400, "identity_verification_required", "A signed user token is required")
        claims = body if token is None else self._verified(token)
        user_id = values.identifier("user_id", claims.get("user_id"))
        if user_id is None:
            raise invalid("user_id is required")
        with self._database.transaction():
            contact_id = self._contact(user_id, claims, signed=token is not None)
            self._company(contact_id, claims.get("company"))
        return {"type": "messenger.session", "contact_id": contact_id, "signed": token is not None}

    def _verified(self, token: Any) -> dict[str, Any]:
        import jwt  # slow to import, and no REST client needs it

        for row in self._database.rows("SELECT secret FROM messenger_secret"):
            try:
                claims: dict[str, Any] = jwt.decode(
                    str(token),
                    row["secret"],
                    algorithms=["HS256"],
                    # Times are judged below, by the workspace's own clock.
                    options={
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "verify_aud": False,
                        "verify_sub": False,
                        "verify_jti": False,
                    },
                )
            except jwt.InvalidTokenError:
                continue
            expires = claims.get("exp")
            if expires is not None and expires <= self._workspace.clock.now_seconds():
                raise ApiError(401, "token_expired", "The user token has expired")
            return claims
        raise ApiError(401, "token_invalid", "The user token could not be verified")

    def _contact(self, user_id: str, claims: dict[str, Any], *, signed: bool) -> str:
        now = self._workspace.clock.now_seconds()
        given = {k: claims[k] for k in ("email", "name", "phone") if claims.get(k) is not None}
        custom = self._custom(claims, signed=signed)
        if custom:
            given["custom_attributes"] = custom
        row = self._database.row(
            "SELECT id FROM contact WHERE external_id = ? AND state = 'active'", [user_id]
        )
        contacts = self._workspace.contacts
        if row is None:
            record = contacts.create({"role": "user", "external_id": user_id, **given})
            contact_id: str = record["id"]
        else:
            contact_id = row["id"]
            if given:
                contacts.update(contact_id, given)
        contacts.touch(contact_id, last_seen_at=now)
        return contact_id

    def _custom(self, claims: dict[str, Any], *, signed: bool) -> dict[str, Any]:
        """Custom attributes among the claims; unsigned ones only where the Messenger may write."""
        known = self._workspace.attributes.by_name("contact")
        return {
            name: value
            for name, value in claims.items()
            if name not in _RESERVED
            and name in known
            and (signed or known[name].messenger_writable)
        }

    def _company(self, contact_id: str, company: Any) -> None:
        """Attach to the company named by ``company.id`` (its ``company_id``), made if new."""
        if not isinstance(company, dict) or company.get("id") is None:
            return
        if not self._workspace.settings.companies_enabled:
            return
        companies = self._workspace.companies
        try:
            found = companies.find(company_id=str(company["id"]))
        except ApiError:
            found = companies.upsert({"company_id": str(company["id"])})
        self._workspace.memberships.attach(contact_id, found["id"])
        row = companies.row(found["id"])
        now = self._workspace.clock.now_seconds()
        self._workspace.index.remember("company", found["id"])
        self._database.update(
            "company",
            found["id"],
            {"last_request_at": now, "updated_at": now, "session_count": row["session_count"] + 1},
        )

    def secrets(self) -> list[dict[str, Any]]:
        """The active secrets, without their values."""
        return [
            _secret_view(dict(row))
            for row in self._database.rows("SELECT * FROM messenger_secret ORDER BY id")
        ]

    def create_secret(self, body: dict[str, Any], *, secret: str | None = None) -> dict[str, Any]:
        """Make a secret of 256 bits; this answer alone shows it.

        Raises:
            ApiError: 422 when the name or every platform is missing.
        """
        name = body.get("name")
        if not isinstance(name, str) or not name:
            raise ApiError(422, "parameter_invalid", "name is required")
        if not any(body.get(platform) is True for platform in _PLATFORMS):
            raise ApiError(422, "parameter_invalid", "at least one platform must be supported")
        value = secret or base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        row: dict[str, Any] = {
            "name": name,
            "secret": value,
            **{platform: int(body.get(platform) is True) for platform in _PLATFORMS},
            "created_at": self._workspace.clock.now_seconds(),
        }
        with self._database.transaction():
            number = self._database.insert("messenger_secret", row)
        return {**_secret_view({"id": number, **row}), "secret": value}

    def delete_secret(self, secret_id: str) -> None:
        """Take a secret out of use at once.

        Raises:
            ApiError: 404.
        """
        with self._database.transaction():
            gone = self._database.execute("DELETE FROM messenger_secret WHERE id = ?", [secret_id])
        if not gone.rowcount:
            raise ApiError(
                404,
                "identity_verification_secret_not_found",
                "Identity verification secret not found",
            )


def _secret_view(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "identity_verification_secret",
        "id": str(row["id"]),
        "name": row["name"],
        **{platform: bool(row[platform]) for platform in _PLATFORMS},
        "created_at": row["created_at"],
    }
