"""OAuth: the token endpoint, userinfo, revoke and the identity URL."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from . import errors, ids, values
from .web import Request, Response

if TYPE_CHECKING:
    from .org import Org

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_LONGEST_JWT_SECONDS = 300
_SCOPE = "refresh_token api"


class OAuthError(Exception):
    """A refused login, as RFC 6749 has it: 400 with ``error`` and ``error_description``."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.body = {"error": error, "error_description": description}


def token(org: Org, request: Request) -> Response:
    """``POST /services/oauth2/token``."""
    form = _form(request)
    grants = {
        "client_credentials": _client_credentials,
        "password": _password,
        "refresh_token": _refresh,
        _JWT_GRANT: _jwt_bearer,
    }
    try:
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        return Response(grant(org, request, form), headers={"Cache-Control": "no-store"})
    except OAuthError as error:
        return Response(error.body, error.status, headers={"Cache-Control": "no-store"})


def revoke(org: Org, request: Request) -> Response:
    """``GET|POST /services/oauth2/revoke``: ends a session, or the refresh token and its own."""
    given = _form(request).get("token", "")
    if given and _same(given, org.sessions.refresh_token):
        org.sessions.revoke_refresh_token()
    elif not org.sessions.end(given):
        error = OAuthError("invalid_token", f"invalid token: {given}")
        return Response(error.body, error.status)
    return Response(None, 200)


def userinfo(org: Org, request: Request) -> Response:
    """``GET /services/oauth2/userinfo``."""
    user = _user(org, request.user_id)
    return Response(
        {
            "sub": f"{request.base_url}/id/{org.organization_id}/{user['Id']}",
            "user_id": user["Id"],
            "organization_id": org.organization_id,
            "preferred_username": user["Username"],
            "nickname": user["CommunityNickname"],
            "name": _full_name(user),
            "email": user["Email"],
            "email_verified": True,
            "given_name": user["FirstName"],
            "family_name": user["LastName"],
            "zoneinfo": user["TimeZoneSidKey"],
            "photos": {"picture": None, "thumbnail": None},
            "profile": f"{request.base_url}/{user['Id']}",
            "address": {},
            "urls": _urls(request.base_url),
            "active": bool(user["IsActive"]),
            "user_type": "STANDARD",
            "language": user["LanguageLocaleKey"],
            "locale": user["LocaleSidKey"],
            "utcOffset": -28800000,
            "updated_at": values.iso_datetime(user["LastModifiedDate"]),
        }
    )


def identity(org: Org, request: Request, organization_id: str, user_id: str) -> Response:
    """``GET /id/ORG/USER``."""
    wanted = ids.to_18(user_id)
    if ids.to_18(organization_id) != org.organization_id or wanted is None:
        raise errors.not_found()
    user = _user(org, wanted)
    return Response(
        {
            "id": f"{request.base_url}/id/{org.organization_id}/{user['Id']}",
            "asserted_user": True,
            "user_id": user["Id"],
            "organization_id": org.organization_id,
            "username": user["Username"],
            "nick_name": user["CommunityNickname"],
            "display_name": _full_name(user),
            "email": user["Email"],
            "email_verified": True,
            "first_name": user["FirstName"],
            "last_name": user["LastName"],
            "timezone": user["TimeZoneSidKey"],
            "photos": {"picture": None, "thumbnail": None},
            "addr_street": None,
            "addr_city": None,
            "addr_state": None,
            "addr_country": None,
            "addr_zip": None,
            "mobile_phone": None,
            "mobile_phone_verified": False,
            "is_lightning_login_user": False,
            "status": {"created_date": None, "body": None},
            "urls": _urls(request.base_url),
            "active": bool(user["IsActive"]),
            "user_type": "STANDARD",
            "language": user["LanguageLocaleKey"],
            "locale": user["LocaleSidKey"],
            "utcOffset": -28800000,
            "last_modified_date": values.iso_datetime(user["LastModifiedDate"]),
            "is_app_installed": True,
        }
    )


def _client_credentials(org: Org, request: Request, form: dict[str, str]) -> dict[str, Any]:
    _check_client(org, request, form)
    return _grant(org, request, org.integration_user_id, form)


def _password(org: Org, request: Request, form: dict[str, str]) -> dict[str, Any]:
    _check_client(org, request, form)
    right = form.get("username", "").lower() == org.settings.username.lower()
    if not right or not _same(form.get("password", ""), org.settings.password):
        raise OAuthError("invalid_grant", "authentication failure")
    return _grant(org, request, org.integration_user_id, form)


def _refresh(org: Org, request: Request, form: dict[str, str]) -> dict[str, Any]:
    _check_client(org, request, form, secret_needed=False)
    if not _same(form.get("refresh_token", ""), org.sessions.refresh_token):
        raise OAuthError("invalid_grant", "expired access/refresh token")
    answer = _grant(org, request, org.integration_user_id, form, refreshed=True)
    if org.settings.rotate_refresh_token:
        answer["refresh_token"] = org.sessions.rotate_refresh_token()
    return answer


def _jwt_bearer(org: Org, request: Request, form: dict[str, str]) -> dict[str, Any]:
    import jwt  # slow to import, and few clients log in this way

    if org.settings.jwt_public_key is None:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    try:
        claims = jwt.decode(
            form.get("assertion", ""),
            org.settings.jwt_public_key,
            algorithms=["RS256"],
            audience=[*_AUDIENCES, request.base_url, f"{request.base_url}/services/oauth2/token"],
            # exp is held against the org's own clock below.
            options={"require": ["iss", "exp", "aud"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidAudienceError:
        raise OAuthError("invalid_grant", "audience is invalid") from None
    except jwt.MissingRequiredClaimError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
    except jwt.PyJWTError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
    if claims["iss"] != org.settings.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    now_seconds = org.clock.now_ms() / 1000
    try:
        expires = float(claims["exp"])  # simple-salesforce sends it as text
    except (TypeError, ValueError):
        raise OAuthError("invalid_grant", "invalid assertion") from None
    if not now_seconds < expires <= now_seconds + _LONGEST_JWT_SECONDS + 60:
        raise OAuthError("invalid_grant", "assertion is not within its valid time window")
    user_id = org.user_named(str(claims.get("sub") or claims.get("prn") or ""))
    if user_id is None:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    return _grant(org, request, user_id, form)


def _check_client(
    org: Org, request: Request, form: dict[str, str], *, secret_needed: bool = True
) -> None:
    client_id, client_secret = form.get("client_id", ""), form.get("client_secret")
    header = request.headers.get("authorization", "")
    if header.lower().startswith("basic "):
        try:
            decoded = base64.b64decode(header[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError("invalid_client", "invalid client credentials") from None
        client_id, _, client_secret = decoded.partition(":")
    if not _same(client_id, org.settings.client_id):
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if client_secret is None and not secret_needed:
        return
    if not _same(client_secret or "", org.settings.client_secret):
        raise OAuthError("invalid_client", "invalid client credentials")


def _grant(
    org: Org, request: Request, user_id: str, form: dict[str, str], *, refreshed: bool = False
) -> dict[str, Any]:
    instance_url = org.settings.instance_url or request.base_url
    identity_url = f"{request.base_url}/id/{org.organization_id}/{user_id}"
    issued_at = str(org.clock.now_ms())
    signed = hmac.new(
        (form.get("client_secret") or org.settings.client_secret).encode(),
        f"{identity_url}{issued_at}".encode(),
        hashlib.sha256,
    ).digest()
    return {
        "access_token": org.sessions.open(user_id, refreshed=refreshed),
        "signature": base64.b64encode(signed).decode(),
        "scope": _SCOPE,
        "instance_url": instance_url,
        "id": identity_url,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def _form(request: Request) -> dict[str, str]:
    body = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return {**request.query, **body}


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _user(org: Org, user_id: str) -> dict[str, Any]:
    row = org.store.row(org.schema.sobjects["user"], user_id)
    if row is None:
        raise errors.not_found()
    return row


def _full_name(user: dict[str, Any]) -> str:
    return " ".join(part for part in (user["FirstName"], user["LastName"]) if part)


def _urls(base_url: str) -> dict[str, str]:
    data = f"{base_url}/services/data/v{{version}}/"
    return {
        "rest": data,
        "sobjects": f"{data}sobjects/",
        "search": f"{data}search/",
        "query": f"{data}query/",
        "recent": f"{data}recent/",
        "tooling_rest": f"{data}tooling/",
    }
