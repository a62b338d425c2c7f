from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest
import requests
from crosswalk.errors import FatalError, RetryLaterError, UnknownOutcomeError
from sweo_client import SweoRefusal
from sweo_client.client import SweoClient

Make = Callable[..., tuple[SweoClient, Any]]
ErrorBody = Callable[..., dict[str, Any]]
OK = (200, {"id": "1"})


def test_a_call_says_who_asks_for_which_version(scripted: Make) -> None:
    client, server = scripted(OK)
    assert client.read("GET", "/me").body == {"id": "1"}
    sent = server.sent[0].headers
    assert sent["Authorization"] == "Bearer secret-token"
    assert sent["Intercom-Version"] == "2.16"


def test_a_netrc_does_not_replace_the_token(
    scripted: Make, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example.com login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client, server = scripted(OK)
    client.read("GET", "/me")
    assert server.sent[0].headers["Authorization"] == "Bearer secret-token"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_read_is_repeated(scripted: Make, error_body: ErrorBody, status: int) -> None:
    client, server = scripted((status, error_body("server_error")), OK)
    client._pace._sleep = lambda _: None
    assert client.read("GET", "/me").status == 200
    assert (client.meter.reads, client.meter.writes) == (2, 0)
    assert len(server.sent) == 2


def test_a_read_whose_answer_broke_off_is_repeated(scripted: Make, lost_answer: Exception) -> None:
    client, server = scripted(lost_answer, (200, b'{"data": ['), OK)
    assert client.read("GET", "/me").body == {"id": "1"}
    assert len(server.sent) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_write_that_was_surely_not_applied_is_repeated(
    scripted: Make, error_body: ErrorBody, status: int
) -> None:
    client, server = scripted((status, error_body("service_unavailable")), OK)
    client._pace._sleep = lambda _: None
    assert client.write("PUT", "/contacts/1", body={"name": "x"}).status == 200
    assert server.bodies() == [{"name": "x"}] * 2
    assert client.meter.writes == 2


def test_a_write_that_never_left_is_repeated(scripted: Make, refused_connection: Exception) -> None:
    client, server = scripted(refused_connection, OK)
    client.write("PUT", "/contacts/1", body={})
    assert len(server.sent) == 2


@pytest.mark.parametrize(
    "answer",
    [
        requests.ReadTimeout(),
        (500, {"errors": [{"code": "server_error"}]}),
        (502, b"<html>"),
        (503, b"<html>a gateway knows nothing of the work</html>"),
        (200, b'{"id": "1'),
    ],
)
def test_a_write_whose_answer_was_lost_is_sent_once(scripted: Make, answer: Any) -> None:
    client, server = scripted(answer, OK)
    with pytest.raises(UnknownOutcomeError, match=r"PUT /contacts/\{…\}") as error:
        client.write("PUT", "/contacts/6762f22b1b", body={"name": "Ann"})
    assert len(server.sent) == 1
    assert "6762f22b1b" not in str(error.value)


def test_a_connection_lost_in_a_write_is_an_unknown_outcome(
    scripted: Make, lost_answer: Exception
) -> None:
    client, server = scripted(lost_answer, OK)
    with pytest.raises(UnknownOutcomeError):
        client.write("POST", "/contacts", body={})
    assert len(server.sent) == 1


def test_a_refused_token_is_fatal_and_names_the_setting(
    scripted: Make, error_body: ErrorBody
) -> None:
    client, server = scripted((401, error_body("unauthorized", "Access Token Invalid")))
    with pytest.raises(FatalError, match="SWEO_ACCESS_TOKEN"):
        client.read("GET", "/me")
    assert len(server.sent) == 1


def test_an_address_where_nothing_answers_is_fatal(
    scripted: Make, refused_connection: Exception
) -> None:
    client, _ = scripted(*[refused_connection] * 4)
    with pytest.raises(FatalError, match="SWEO_API_URL"):
        client.read("GET", "/me")


def test_an_outage_after_an_answer_is_for_the_next_run(
    scripted: Make, refused_connection: Exception
) -> None:
    client, _ = scripted(OK, *[refused_connection] * 8)
    client.read("GET", "/me")
    with pytest.raises(RetryLaterError):
        client.read("GET", "/me")


def test_an_untrusted_certificate_is_fatal(scripted: Make) -> None:
    distrust = requests.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed"))
    client, server = scripted(distrust)
    with pytest.raises(FatalError, match="REQUESTS_CA_BUNDLE"):
        client.write("PUT", "/contacts/1", body={})
    assert len(server.sent) == 1


def test_another_region_is_told_and_the_token_does_not_follow(scripted: Make) -> None:
    client, server = scripted((301, {}, {"Location": "https://elsewhere.example.com/me"}))
    with pytest.raises(FatalError, match="region"):
        client.read("GET", "/me")
    assert len(server.sent) == 1


def test_a_refusal_carries_code_field_and_no_value(scripted: Make, error_body: ErrorBody) -> None:
    body = error_body("parameter_invalid", "Email ann@example.com is invalid", field="email")
    client, _ = scripted((400, body))
    with pytest.raises(SweoRefusal) as caught:
        client.write("PUT", "/contacts/1", body={"email": "ann@example.com"})
    found = caught.value
    assert (found.status, found.code, found.field) == (400, "parameter_invalid", "email")
    assert found.message == "Email … is invalid"
    assert found.request_id == "r1"


def test_cookies_are_not_kept(scripted: Make) -> None:
    client, server = scripted((200, {}, {"Set-Cookie": "session=1"}), OK)
    client.read("GET", "/me")
    client.read("GET", "/me")
    assert "Cookie" not in server.sent[1].headers
