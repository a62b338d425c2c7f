"""Giving tokens back to Salesforce: ``POST /services/oauth2/revoke``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import requests
from crosswalk.errors import FatalError, RetryLaterError

from salesforce_client.auth import RefreshToken, log_in, login_from
from salesforce_client.transport import MeteredSession


@dataclass(frozen=True, slots=True)
class Revoked:
    """What was given back. ``was_good`` is False where Salesforce knew it no more."""

    what: str
    was_good: bool


def revoke_tokens(settings: Mapping[str, object]) -> list[Revoked]:
    """Revoke every token that the settings of a login hold.

    With a refresh token all sessions that it opened end. A consumer secret or a private key is no
    token, and opens new sessions until the app is switched off in Salesforce: of those a session is
    opened and ended, which ends the others where Salesforce hands the same one out.

    Raises:
        FatalError: a setting is missing or forbidden, or the login is refused.
        RetryLaterError: Salesforce does not answer.
    """
    session = MeteredSession()
    return [
        Revoked(what, _revoke(session, host, token))
        for what, host, token in _tokens(session, settings)
    ]


def _tokens(
    session: MeteredSession, settings: Mapping[str, object]
) -> Iterator[tuple[str, str, str]]:
    login = login_from(settings)
    if login.ready:
        yield "the access token", login.ready.instance_url, login.ready.access_token
    if isinstance(login.grant, RefreshToken):
        yield "the refresh token", login.grant.login_url, login.grant.refresh_token
    elif login.grant:
        token = log_in(session, login)
        yield "the app's session", token.instance_url, token.access_token


def _revoke(session: MeteredSession, host: str, token: str) -> bool:
    try:
        # In the body: an address is written to logs on its way.
        answer = session.post(f"{host}/services/oauth2/revoke", data={"token": token})
    except requests.RequestException as error:
        raise RetryLaterError(
            f"Salesforce is unreachable ({type(error).__name__}); run it again."
        ) from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise RetryLaterError(f"Salesforce answered {answer.status_code}; run it again.")
    if answer.status_code not in (200, 400):
        raise FatalError(f"Salesforce refused to revoke a token ({answer.status_code}).")
    return answer.status_code == 200
