from __future__ import annotations

from email.utils import formatdate

import pytest
from crosswalk.errors import FatalError, RetryLaterError, UnknownOutcomeError
from salesforce_client.auth import Login, ReadyToken, login_from
from salesforce_client.composite import Subrequest, read_composite
from salesforce_client.connection import Connection, NotSentError
from salesforce_client.errors import RequestRefusedError

EXPIRED = (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}])
LOCKED = (400, [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}])


def test_nothing_is_sent_before_the_first_call(server, connection) -> None:
    assert connection.calls == 0
    assert server.asked == []


def test_a_read_is_metered_and_plain(server, connection, reply) -> None:
    server.script = [reply(body={"records": []})]
    answer = connection.read("query", params={"q": "SELECT Id FROM Account"})
    assert answer.body == {"records": []}
    assert connection.calls == 1
    assert (connection.session.usage.used, connection.session.usage.allowed) == (7, 15_000)
    asked = server.asked[0]
    assert asked.path.startswith("/services/data/v62.0/query?q=SELECT")
    assert "X-PrettyPrint" not in asked.headers
    assert asked.headers["Sforce-Call-Options"] == "client=sweo"


@pytest.mark.parametrize("trouble", [(503, {}), (429, {}), (500, {}), LOCKED, None], ids=str)
def test_a_read_outlasts_passing_trouble(server, connection, reply, trouble) -> None:
    first = reply(hang_up=True) if trouble is None else reply(*trouble)
    server.script = [first, reply(body={"ok": 1})]
    assert connection.read("limits").body == {"ok": 1}


def test_trouble_that_stays_is_for_the_next_run(server, connection, reply) -> None:
    server.script = [reply(503, {})] * 3
    with pytest.raises(RetryLaterError):
        connection.read("limits")


def test_used_up_calls_are_not_asked_again(server, connection, reply) -> None:
    server.script = [reply(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": ""}])]
    with pytest.raises(RequestRefusedError) as caught:
        connection.read("limits")
    assert isinstance(caught.value.sorted(), RetryLaterError)
    assert len(server.asked) == 1


def test_a_mistake_is_not_asked_again(server, connection, reply) -> None:
    server.script = [reply(400, [{"errorCode": "MALFORMED_QUERY", "message": "SELECT secret"}])]
    with pytest.raises(RequestRefusedError) as caught:
        connection.read("query", params={"q": "x"})
    assert isinstance(caught.value.sorted(), FatalError)
    assert "secret" not in str(caught.value)


def test_a_write_whose_answer_is_lost_is_never_resent(server, connection, reply) -> None:
    for trouble in (reply(hang_up=True), reply(500, {}), reply(503, {}), reply(504, {})):
        server.asked.clear()
        server.script = [trouble]
        with pytest.raises(UnknownOutcomeError):
            connection.write("PATCH", "sobjects/Account/001", body={"Name": "x"})
        assert len(server.asked) == 1


def test_a_write_that_salesforce_did_not_begin_says_so(server, connection, reply) -> None:
    server.script = [reply(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": ""}])]
    with pytest.raises(RequestRefusedError) as caught:
        connection.write("PATCH", "composite/sobjects", body={})
    assert caught.value.not_applied


def test_a_write_to_an_unreachable_host_was_not_sent() -> None:
    connection = Connection(Login(ReadyToken("t", "http://127.0.0.1:1"), None))
    with pytest.raises(NotSentError):
        connection.write("PATCH", "composite/sobjects", body={})


def test_an_ended_session_is_renewed_once_even_for_a_write(server, reply) -> None:
    login = login_from(
        {
            "access_token": "old",
            "instance_url": server.url,
            "client_id": "i",
            "client_secret": "s",
            "login_url": server.url,
        }
    )
    connection = Connection(login)
    token = {"access_token": "new", "instance_url": server.url}
    server.script = [reply(*EXPIRED), reply(body=token), reply(204)]
    connection.write("PATCH", "sobjects/Account/001", body={"Name": "x"})
    assert [asked.headers.get("Authorization") for asked in server.asked] == [
        "Bearer old",
        None,
        "Bearer new",
    ]
    assert connection.session.logins == 1


def test_an_ended_session_without_another_login_names_the_setting(
    server, connection, reply
) -> None:
    server.script = [reply(*EXPIRED)]
    with pytest.raises(FatalError, match="access_token"):
        connection.read("limits")


def test_the_servers_clock_is_read_early(server, connection, reply) -> None:
    server.script = [
        reply(body={}, headers={"Date": formatdate(1_767_323_045, usegmt=True)}),
    ]
    times = connection.read("limits").times
    assert times.started_at in ("2026-01-02T03:04:04Z", "2026-01-02T03:04:05Z")
    assert times.started_at <= times.answered_at


def test_a_limit_of_calls_ends_the_run(server, reply) -> None:
    connection = Connection(Login(ReadyToken("t", server.url), None), limit_calls=1)
    server.script = [reply()]
    connection.read("limits")
    with pytest.raises(RetryLaterError, match="1 Salesforce calls"):
        connection.read("limits")


def test_a_cut_answer_to_a_read_is_asked_again(server, connection, reply) -> None:
    def cut(_):
        answer = reply(body="{")
        answer.headers["Content-Type"] = "application/json"
        return answer

    server.script = [cut, reply(body={"ok": 1})]
    answer = connection.read("limits")
    assert answer.status == 200


def test_a_composite_waits_out_trouble_of_one_part(server, connection, reply) -> None:
    def parts(*statuses):
        return {
            "compositeResponse": [
                {
                    "referenceId": f"part{i}",
                    "httpStatusCode": status,
                    "body": LOCKED[1] if status == 400 else {"n": i},
                }
                for i, status in reversed(list(enumerate(statuses)))
            ]
        }

    server.script = [reply(body=parts(200, 400)), reply(body=parts(200, 200))]
    answers = read_composite(
        connection, [Subrequest("GET", "query?q=a"), Subrequest("GET", "/services/data/v62.0/x")]
    )
    assert [part.body for part in answers] == [{"n": 0}, {"n": 1}]
    sent = server.asked[0].json
    assert [part["url"] for part in sent["compositeRequest"]] == [
        "/services/data/v62.0/query?q=a",
        "/services/data/v62.0/x",
    ]
    assert sent["allOrNone"] is False


def test_a_ready_session_asks_for_the_time_before_it_relies_on_it(
    server, connection, reply
) -> None:
    date = {"Date": formatdate(1_767_323_045, usegmt=True)}
    server.script = [reply(body=[], headers=date)]
    assert abs(connection.server_now().timestamp() - 1_767_323_045) < 5
    assert [asked.path for asked in server.asked] == ["/services/data"]
    assert connection.calls == 0
    connection.server_now()
    assert len(server.asked) == 1
