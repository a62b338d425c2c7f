from __future__ import annotations

import jwt
import pytest
import requests
from crosswalk.errors import FatalError, RetryLaterError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from salesforce_client.auth import (
    ClientCredentials,
    JwtBearer,
    ReadyToken,
    RefreshToken,
    log_in,
    login_from,
)
from salesforce_client.ids import to_18

ORG_15 = "00D5f000000XYZa"
MY_DOMAIN = "https://acme.my.salesforce.com"


def test_each_way_to_log_in_has_its_type() -> None:
    credentials = {"client_id": "i", "client_secret": "s", "login_url": MY_DOMAIN + "/"}
    assert login_from(credentials).grant == ClientCredentials(MY_DOMAIN, "i", "s")
    refresh = login_from({"client_id": "i", "refresh_token": "r", "client_secret": "s"})
    assert refresh.grant == RefreshToken("https://login.salesforce.com", "i", "r", "s")
    signed = login_from({"client_id": "i", "username": "u", "private_key": "a\\nb"})
    assert signed.grant == JwtBearer("https://login.salesforce.com", "i", "u", "a\nb")
    ready = login_from({"access_token": "t", "instance_url": MY_DOMAIN})
    assert ready.ready == ReadyToken("t", MY_DOMAIN)
    assert ready.grant is None


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "No way to log in"),
        ({"client_secret": "s", "client_id": "i"}, "login_url (the org's My Domain"),
        ({"refresh_token": "r"}, "client_id"),
        ({"private_key": "k", "client_id": "i"}, "username"),
        ({"access_token": "t"}, "instance_url"),
        ({"access_token": "t", "instance_url": "http://acme.test"}, "must use https"),
        ({"access_token": "t", "instance_url": "acme"}, "https:// address"),
        (
            {"access_token": "t", "instance_url": "https://localhost:1", "environment": "prod"},
            "prod refuses the loopback",
        ),
        (
            {"access_token": "t", "instance_url": MY_DOMAIN, "environment": "sandbox"},
            "sandbox refuses instance_url",
        ),
    ],
)
def test_incomplete_or_forbidden_settings_are_named(
    settings: dict[str, object], named: str
) -> None:
    with pytest.raises(FatalError) as caught:
        login_from(settings)
    assert named in str(caught.value)


def test_secrets_do_not_show() -> None:
    login = login_from({"client_id": "i", "client_secret": "hush", "login_url": MY_DOMAIN})
    assert "hush" not in repr(login)


def test_plain_http_is_for_this_machine_only() -> None:
    assert login_from({"access_token": "t", "instance_url": "http://127.0.0.1:80"}).ready


def test_the_organisation_comes_from_the_token_or_its_id(server, reply) -> None:
    assert ReadyToken(f"{ORG_15}!x", MY_DOMAIN).token().org_id == to_18(ORG_15)
    assert ReadyToken("opaque", MY_DOMAIN).token().org_id is None
    server.script = [
        reply(
            body={
                "access_token": "opaque",
                "instance_url": server.url,
                "id": f"{server.url}/id/{to_18(ORG_15)}/005000000000001AAA",
            }
        )
    ]
    login = login_from({"client_id": "i", "client_secret": "s", "login_url": server.url})
    assert log_in(requests.Session(), login).org_id == to_18(ORG_15)


@pytest.mark.parametrize(
    ("status", "body", "error", "named"),
    [
        (400, {"error": "invalid_client"}, FatalError, "client_secret"),
        (400, {"error": "invalid_grant"}, FatalError, "invalid_grant"),
        (503, {}, RetryLaterError, "503"),
        (200, {"hello": 1}, FatalError, "does not answer"),
        (
            200,
            {"access_token": "t", "instance_url": "http://elsewhere.test"},
            FatalError,
            "must use https",
        ),
        (
            200,
            {"access_token": "t", "instance_url": MY_DOMAIN, "refresh_token": "other"},
            FatalError,
            "rotates refresh tokens",
        ),
    ],
)
def test_a_refused_login_is_one_sentence(server, reply, status, body, error, named) -> None:
    server.script = [reply(status, body)]
    login = login_from({"client_id": "i", "refresh_token": "r", "login_url": server.url})
    with pytest.raises(error) as caught:
        log_in(requests.Session(), login)
    assert named in str(caught.value)


def test_a_refresh_that_repeats_its_token_is_no_rotation(server, reply) -> None:
    body = {"access_token": "t", "instance_url": MY_DOMAIN, "refresh_token": "r"}
    server.script = [reply(200, body)]
    login = login_from({"client_id": "i", "refresh_token": "r", "login_url": server.url})
    assert log_in(requests.Session(), login).access_token == "t"


def test_jwt_is_signed_for_the_login_host() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    form = JwtBearer(MY_DOMAIN, "app", "ada@acme.test", pem.replace("\n", "\n")).form()
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], audience=MY_DOMAIN
    )
    assert (claims["iss"], claims["sub"]) == ("app", "ada@acme.test")


def test_a_broken_key_is_named_without_its_text() -> None:
    with pytest.raises(FatalError, match="private_key") as caught:
        JwtBearer(MY_DOMAIN, "app", "u", "hush-hush").form()
    assert "hush" not in str(caught.value)


def test_an_unreachable_login_host_is_for_later() -> None:
    login = login_from({"client_id": "i", "client_secret": "s", "login_url": "http://127.0.0.1:1"})
    with pytest.raises(RetryLaterError, match="login_url"):
        log_in(requests.Session(), login)
