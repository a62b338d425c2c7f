"""Ways to log in: one frozen settings type each, complete or refused with a sentence.

All are OAuth 2.0 at ``<login_url>/services/oauth2/token``; the SOAP login() that Salesforce is
retiring is not among them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
from crosswalk.errors import FatalError, RetryLaterError

from salesforce_client.ids import is_record_id, to_18

STANDARD_LOGIN_URL: Final = "https://login.salesforce.com"
_ASSERTION: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 180  # Salesforce refuses assertions that live longer
_REMEDIES: Final[Mapping[str, str]] = {
    "invalid_client_id": "check the setting client_id",
    "invalid_client": "check the settings client_id and client_secret",
    "invalid_grant": "check the settings of the login and the user's permission for the app",
    "unsupported_grant_type": "switch this flow on in the External Client App",
    "inactive_user": "the user is inactive",
    "inactive_org": "the org is locked or closed",
    "rate_limit_exceeded": "too many logins; try again in an hour",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A session. ``org_id`` has 18 characters, or is None where nothing tells it."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReadyToken:
    """An access token made elsewhere, with the instance that takes it."""

    access_token: str = field(repr=False)
    instance_url: str

    def token(self) -> Token:
        """The session; no call is needed."""
        return Token(self.access_token, self.instance_url, _org_of_token(self.access_token))


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The app's own login as its run-as user; ``login_url`` is the org's My Domain."""

    login_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def form(self) -> dict[str, str]:
        """The token request."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """A user's login signed with the app's private key (RS256)."""

    login_url: str
    client_id: str
    username: str
    private_key: str = field(repr=False)

    def form(self) -> dict[str, str]:
        """The token request with an assertion that lives three minutes."""
        import jwt  # brings cryptography: loaded only where this way is used

        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.login_url,
            "exp": int(time.time()) + _ASSERTION_SECONDS,
        }
        try:
            assertion = jwt.encode(claims, self.private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.exceptions.PyJWTError):
            raise FatalError(
                "The setting private_key is not an RSA private key in PEM form."
            ) from None
        return {"grant_type": _ASSERTION, "assertion": assertion}


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A user's login that was granted once in a browser."""

    login_url: str
    client_id: str
    refresh_token: str = field(repr=False)
    client_secret: str | None = field(default=None, repr=False)

    def form(self) -> dict[str, str]:
        """The token request."""
        form = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "refresh_token": self.refresh_token,
        }
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return form


Grant = ClientCredentials | JwtBearer | RefreshToken


@dataclass(frozen=True, slots=True)
class Login:
    """How a connection gets its session: a ready token first, then a grant, if there is one.

    ``environment`` is ``sandbox`` (loopback hosts only), ``prod`` (no loopback host) or None.
    """

    ready: ReadyToken | None
    grant: Grant | None
    environment: str | None = None

    def __post_init__(self) -> None:
        if self.ready is None and self.grant is None:
            raise FatalError(
                "No way to log in to Salesforce: set login_url, client_id and client_secret "
                "(client credentials), or client_id, username and private_key (JWT), or "
                "client_id and refresh_token, or access_token and instance_url."
            )
        if self.ready:
            check_url(self.ready.instance_url, "instance_url", self.environment)
        if self.grant:
            check_url(self.grant.login_url, "login_url", self.environment)


class _Session(Protocol):
    def post(
        self, url: str, *, data: dict[str, str], headers: dict[str, str]
    ) -> requests.Response: ...


def login_from(settings: Mapping[str, object]) -> Login:
    """Read the login of a plugin's settings.

    Keys: login_url, instance_url, client_id, client_secret, username, private_key,
    refresh_token, access_token, environment. A private key means JWT, else a refresh token
    means that flow, else a client secret means client credentials.

    Raises:
        FatalError: something is missing or forbidden; the sentence names the setting.
    """
    given = {key: str(value).strip() for key, value in settings.items() if value not in (None, "")}
    environment = given.get("environment")
    ready = None
    if "access_token" in given:
        if "instance_url" not in given:
            raise FatalError("The setting access_token needs the setting instance_url beside it.")
        ready = ReadyToken(given["access_token"], given["instance_url"].rstrip("/"))
    return Login(ready, _grant_from(given), environment)


def _grant_from(given: Mapping[str, str]) -> Grant | None:
    login_url = given.get("login_url", STANDARD_LOGIN_URL).rstrip("/")
    if "private_key" in given:
        _require(given, "private_key", "client_id", "username")
        # One line with \n in it is how an environment variable usually carries a key.
        private_key = given["private_key"].replace("\\n", "\n")
        return JwtBearer(login_url, given["client_id"], given["username"], private_key)
    if "refresh_token" in given:
        _require(given, "refresh_token", "client_id")
        return RefreshToken(
            login_url, given["client_id"], given["refresh_token"], given.get("client_secret")
        )
    if "client_secret" in given:
        _require(given, "client_secret", "client_id", "login_url")
        return ClientCredentials(login_url, given["client_id"], given["client_secret"])
    return None


def _require(given: Mapping[str, str], because: str, *names: str) -> None:
    missing = [name for name in names if name not in given]
    if missing:
        hint = " (the org's My Domain address)" if "login_url" in missing else ""
        raise FatalError(f"The setting {because} needs {' and '.join(missing)}{hint} beside it.")


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_url(url: str, setting: str, environment: str | None) -> None:
    """Refuse what is no address, plain http, and hosts that the environment forbids.

    Raises:
        FatalError: naming the setting.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FatalError(f"The setting {setting} must be an https:// address.")
    loopback = is_loopback(url)
    if parts.scheme == "http" and not loopback:
        raise FatalError(f"The setting {setting} must use https; plain http is for loopback only.")
    if environment == "prod" and loopback:
        raise FatalError(f"The environment prod refuses the loopback address in {setting}.")
    if environment == "sandbox" and not loopback:
        raise FatalError(
            f"The environment sandbox refuses {setting}, which is not on this machine; "
            "use the environment prod for a real org."
        )


def log_in(session: _Session, login: Login) -> Token:
    """Ask for a session with the login's grant.

    Raises:
        FatalError: the login is refused, or the answer rotates the refresh token.
        RetryLaterError: the login host does not answer or answers 5xx.
    """
    grant = login.grant
    if grant is None:
        raise FatalError(
            "Salesforce no longer takes the access token; renew the setting access_token, or "
            "give a login that can renew itself."
        )
    try:
        response = session.post(
            f"{grant.login_url}/services/oauth2/token",
            data=grant.form(),
            headers={"Accept": "application/json"},
        )
    except requests.exceptions.SSLError as error:
        raise FatalError(
            "The certificate of the host in login_url is not trusted; check REQUESTS_CA_BUNDLE."
        ) from error
    except requests.RequestException as error:
        raise RetryLaterError(
            f"Salesforce's login host is unreachable ({type(error).__name__}); check login_url."
        ) from None
    body = _json_object(response)
    if response.status_code >= 500 or response.status_code == 429:
        raise RetryLaterError(f"Salesforce's login host answered {response.status_code}.")
    if response.status_code != 200:
        code = str(body.get("error") or f"HTTP {response.status_code}")
        remedy = _REMEDIES.get(code, "check the login settings")
        raise FatalError(f"Salesforce refused the login ({code}): {remedy}.")
    return _token_of(body, grant, login.environment)


def _token_of(body: Mapping[str, object], grant: Grant, environment: str | None) -> Token:
    access_token, instance_url = body.get("access_token"), body.get("instance_url")
    if not isinstance(access_token, str) or not isinstance(instance_url, str):
        raise FatalError("The host in login_url does not answer as Salesforce's login does.")
    if isinstance(grant, RefreshToken):
        rotated = body.get("refresh_token")
        if rotated and rotated != grant.refresh_token:
            raise FatalError(
                "The app rotates refresh tokens, which a plugin cannot store; switch rotation "
                "off in the External Client App or use client credentials or JWT."
            )
    check_url(instance_url, "instance_url", environment)
    org_id = _org_of_identity(str(body.get("id") or "")) or _org_of_token(access_token)
    return Token(access_token, instance_url.rstrip("/"), org_id)


def _json_object(response: requests.Response) -> Mapping[str, object]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _org_of_identity(url: str) -> str | None:
    """The organisation in ``https://…/id/00D…/005…``."""
    parts = urlsplit(url).path.strip("/").split("/")
    if len(parts) >= 3 and parts[-3] == "id" and is_record_id(parts[-2]):
        return to_18(parts[-2])
    return None


def _org_of_token(access_token: str) -> str | None:
    """The organisation before the ``!`` of an opaque access token."""
    head, mark, _ = access_token.partition("!")
    return to_18(head) if mark and head.startswith("00D") and is_record_id(head) else None
