from __future__ import annotations

import re
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

Client = Any
TOKEN = "/services/oauth2/token"


def pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def log_in(client: Client, **form: str) -> Any:
    settings = client.org.settings
    form = {"client_id": settings.client_id, "client_secret": settings.client_secret, **form}
    client.session.headers.pop("Authorization", None)
    return client.call("POST", TOKEN, data=form)


def test_client_credentials_by_form_and_by_basic(client: Client) -> None:
    answer = log_in(client, grant_type="client_credentials")
    body = answer.json()
    assert set(body) == {
        "access_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    }
    assert body["instance_url"] == client.sandbox.salesforce_url
    assert body["access_token"].startswith(f"{client.org.organization_id[:15]}!")
    assert body["id"].split("/")[-2:] == [
        client.org.organization_id,
        client.org.integration_user_id,
    ]
    assert re.fullmatch(r"\d{13}", body["issued_at"])
    settings = client.org.settings
    basic = client.call(
        "POST",
        TOKEN,
        data={"grant_type": "client_credentials"},
        auth=(settings.client_id, settings.client_secret),
    )
    assert basic.status_code == 200
    counts = client.sandbox.calls("salesforce")
    assert (counts["total"], counts["logins"]) == (0, 2)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_grant"),
        ({"grant_type": "nonsense"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials(client: Client, form: dict[str, str], error: str) -> None:
    answer = log_in(client, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_refresh_tokens_rotate_if_set(client: Client) -> None:
    old = client.org.sessions.refresh_token
    kept = log_in(client, grant_type="refresh_token", refresh_token=old).json()
    assert "refresh_token" not in kept
    client.org.settings.rotate_refresh_token = True
    new = log_in(client, grant_type="refresh_token", refresh_token=old).json()["refresh_token"]
    assert new != old
    assert log_in(client, grant_type="refresh_token", refresh_token=old).status_code == 400
    assert log_in(client, grant_type="refresh_token", refresh_token=new).status_code == 200


def test_a_signed_assertion_is_held_to_every_claim(client: Client) -> None:
    private, public = pair()
    client.org.settings.jwt_public_key = public
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    right = {
        "iss": client.org.settings.client_id,
        "sub": client.org.settings.username,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 200,
    }

    def assertion(key: str = private, algorithm: str = "RS256", **changed: Any) -> Any:
        claims = {**right, **changed}
        signed = jwt.encode(claims, key, algorithm=algorithm)
        return log_in(client, grant_type=grant, assertion=signed)

    assert assertion().status_code == 200
    assert assertion(aud=client.sandbox.salesforce_url).status_code == 200
    other, _ = pair()
    assert assertion(key=other).json()["error"] == "invalid_grant"
    assert assertion(key="x" * 40, algorithm="HS256").json()["error"] == "invalid_grant"
    assert assertion(aud="https://elsewhere.example").json()["error"] == "invalid_grant"
    assert assertion(exp=int(time.time()) - 1).json()["error"] == "invalid_grant"
    assert assertion(exp=int(time.time()) + 3600).json()["error"] == "invalid_grant"
    assert assertion(iss="someone").json()["error"] == "invalid_client_id"
    assert assertion(sub="nobody@sandbox.example").json()["error"] == "invalid_grant"


def test_sessions_end_by_time_by_revocation_and_on_demand(client: Client) -> None:
    def session() -> dict[str, str]:
        token = log_in(client, grant_type="client_credentials").json()["access_token"]
        return {"Authorization": f"Bearer {token}"}

    headers = session()
    assert client.get("/limits", headers=headers).status_code == 200
    client.sandbox.clock_salesforce.advance(client.org.settings.session_seconds + 1)
    expired = client.get("/limits", headers=headers)
    assert client.error(expired) == (401, "INVALID_SESSION_ID")
    headers = session()
    token = headers["Authorization"].removeprefix("Bearer ")
    assert client.call("POST", "/services/oauth2/revoke", data={"token": token}).status_code == 200
    assert client.get("/limits", headers=headers).status_code == 401
    headers = session()
    client.org.end_all_sessions()
    assert client.get("/limits", headers=headers).status_code == 401
    assert client.get("/limits").status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_revoked_refresh_token_takes_its_sessions_along(client: Client, method: str) -> None:
    def revoke(token: str) -> Any:
        place = {"params" if method == "GET" else "data": {"token": token}}
        return client.call(method, "/services/oauth2/revoke", **place)

    refresh = client.org.sessions.refresh_token
    refreshed = log_in(client, grant_type="refresh_token", refresh_token=refresh).json()
    other = log_in(client, grant_type="client_credentials").json()
    assert revoke(refreshed["access_token"]).status_code == 200
    refreshed = log_in(client, grant_type="refresh_token", refresh_token=refresh).json()
    assert revoke(refresh).status_code == 200
    for tokens, status in ((refreshed, 401), (other, 200)):
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert client.get("/limits", headers=headers).status_code == status
    refused = log_in(client, grant_type="refresh_token", refresh_token=refresh)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    unknown = revoke(refresh)
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_token")


def test_who_is_logged_in(client: Client) -> None:
    info = client.get("/services/oauth2/userinfo").json()
    assert info["user_id"] == client.org.integration_user_id
    ids = f"{client.org.organization_id}/{client.org.integration_user_id}"
    identity = client.get(f"/id/{ids}").json()
    assert identity["username"] == info["preferred_username"] == client.org.settings.username
    assert client.get(f"/id/{client.org.organization_id}/005Dn0000099999").status_code == 404


ENVELOPE = """<?xml version="1.0"?>
<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:u="urn:partner.soap.sforce.com"><e:Body><u:{call}><u:username>{username}</u:username><u:password>{password}</u:password></u:{call}>
</e:Body></e:Envelope>"""


def soap(client: Client, version: str = "59.0", call: str = "login", **given: str) -> Any:
    settings = client.sandbox.org_settings
    whole = {"username": settings.username, "password": settings.password, **given}
    return client.session.post(
        f"{client.sandbox.salesforce_url}/services/Soap/u/{version}",
        data=ENVELOPE.format(call=call, **whole),
        headers={"Content-Type": "text/xml", "SOAPAction": "login"},
    )


def test_a_soap_login_opens_a_session(client: Client) -> None:
    settings = client.sandbox.org_settings
    for password in (settings.password, settings.password + settings.security_token):
        answer = soap(client, password=password)
        assert answer.status_code == 200
        token = answer.text.partition("<sessionId>")[2].partition("<")[0]
        assert client.org.sessions.user_of(token) == client.org.integration_user_id
        assert f"<serverUrl>{client.sandbox.salesforce_url}/services/Soap/u/59.0/" in answer.text


def test_soap_logins_that_are_refused(client: Client) -> None:
    for answer, code in (
        (soap(client, password="wrong"), "INVALID_LOGIN"),
        (soap(client, username="nobody@x.co"), "INVALID_LOGIN"),
        (soap(client, version="65.0"), "UNSUPPORTED_API_VERSION"),
        (soap(client, call="query"), "INVALID_OPERATION"),
        (soap(client, password="<broken"), "INVALID_SOAP_HEADER"),
    ):
        assert answer.status_code == 500
        assert f"<sf:exceptionCode>{code}</sf:exceptionCode>" in answer.text
