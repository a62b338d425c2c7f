"""What stands before every route: token, limit, meter, version, body; and the Messenger."""

from __future__ import annotations

import jwt
import pytest
from sweo_sandbox.side import sweo_side
from sweo_sandbox.sweo.settings import WorkspaceSettings

NOW = 1_790_000_000
SECRET = WorkspaceSettings().jwt_secret
PREVIEW = {"Sweo-Version": "Preview"}


def test_without_the_token_401_and_no_limit_headers(client):
    for token in ("", "Bearer wrong", "Basic sandbox-sweo-access-token"):
        response = client.request("GET", "/me", headers={"Authorization": token})
        assert response.status_code == 401
        assert response.json()["errors"] == [
            {"code": "unauthorized", "message": "Access Token Invalid"}
        ]
        assert "X-RateLimit-Limit" not in response.headers


def test_me_tells_workspace_and_time_zone(client):
    app = client.ok("GET", "/me")["app"]
    assert (app["id_code"], app["timezone"]) == ("sweosbx1", "America/Los_Angeles")


def test_answers_carry_the_workspaces_own_time(client, side):
    assert client.request("GET", "/me").headers["Date"] == "Mon, 21 Sep 2026 14:13:20 GMT"


def test_the_limit_is_counted_in_windows_of_ten_seconds(client, workspace):
    workspace.settings.requests_per_minute = 30
    responses = [client.request("GET", "/me") for _ in range(12)]
    refused = [r for r in responses if r.status_code == 429]
    # A window may end in between, once.
    assert 2 <= len(refused) <= 7
    assert refused[0].json()["errors"][0]["code"] == "rate_limit_exceeded"
    first = responses[0].headers
    assert first["X-RateLimit-Limit"] == "5"
    assert NOW < int(first["X-RateLimit-Reset"]) <= NOW + 11
    assert refused[0].headers["X-RateLimit-Remaining"] == "0"


def test_the_meter_counts_reads_and_writes_that_passed(client, side):
    contact = client.contact(email="a@b.example")
    client.ok("GET", f"/contacts/{contact['id']}")
    client.search({"field": "role", "operator": "=", "value": "user"})
    client.request("GET", "/me", headers={"Authorization": "no"})
    client.request("POST", "/messenger/session", json={"user_id": "1"})
    counted = side.meter.snapshot()
    assert (counted["total"], counted["reads"], counted["writes"]) == (3, 2, 1)
    assert counted["by_endpoint"] == {
        "GET /contacts/{id}": 1,
        "POST /contacts": 1,
        "POST /contacts/search": 1,
    }


@pytest.mark.parametrize("version", ["3.0", "2.99", "latest"])
def test_an_unknown_version_is_refused(client, version):
    refusal = client.error("GET", "/me", headers={"Intercom-Version": version})
    assert refusal[:2] == (400, "intercom_version_invalid")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"name": NaN}', b'{"name": "\\ud800"}']
)
def test_a_body_that_is_no_object_is_refused(client, body):
    refusal = client.error(
        "POST", "/contacts", content=body, headers={"Content-Type": "application/json"}
    )
    assert refusal[:2] == (400, "bad_request")


def test_unknown_paths_and_methods_answer_in_the_apis_shape(client):
    assert client.error("GET", "/nothing")[:2] == (404, "not_found")
    assert client.error("PATCH", "/contacts")[0] == 405


def visit(client, claims, secret=SECRET, algorithm="HS256"):
    token = jwt.encode(claims, secret, algorithm=algorithm)
    return client.request("POST", "/messenger/session", json={"intercom_user_jwt": token})


def test_a_session_moves_updated_at_and_attaches_the_company(client, side):
    client.attribute("contact", "tier", "string")
    contact = client.contact(email="a@b.example", external_id="7")
    side.clock.advance(30)
    claims = {"user_id": "7", "tier": "gold", "company": {"id": "c9"}, "exp": NOW + 3600}
    assert visit(client, claims).json()["contact_id"] == contact["id"]
    shown = client.ok("GET", f"/contacts/{contact['id']}")
    assert shown["updated_at"] == shown["last_seen_at"] == NOW + 30
    assert shown["custom_attributes"] == {"tier": "gold"}
    company = client.ok("GET", "/companies?company_id=c9")
    assert (company["session_count"], company["user_count"]) == (1, 1)


def test_forged_expired_and_nameless_tokens_are_refused(client):
    assert visit(client, {"user_id": "7"}, secret="x" * 32).status_code == 401
    assert visit(client, {"user_id": "7", "exp": NOW}).status_code == 401
    assert visit(client, {"user_id": "7"}, algorithm="HS512").status_code == 401
    assert visit(client, {"user_id": "7"}, secret="", algorithm="none").status_code == 401
    assert visit(client, {"email": "a@b.example"}).status_code == 400
    assert client.ok("GET", "/contacts")["total_count"] == 0


def test_unsigned_sessions_write_only_what_the_messenger_may(client, workspace):
    client.attribute("contact", "open", "string", messenger_writable=True)
    client.attribute("contact", "shut", "string")
    body = {"user_id": "7", "open": "yes", "shut": "no"}
    contact_id = client.request("POST", "/messenger/session", json=body).json()["contact_id"]
    shown = client.ok("GET", f"/contacts/{contact_id}")
    assert shown["custom_attributes"] == {"open": "yes"}
    workspace.settings.switch({"enforce_identity": True})
    assert client.request("POST", "/messenger/session", json=body).status_code == 400


def test_several_secrets_are_active_until_deleted(client):
    made = client.request(
        "POST", "/secure_mode_secrets", json={"name": "new", "supports_web": True}, headers=PREVIEW
    )
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert visit(client, {"user_id": "7"}, secret=secret).status_code == 200
    assert visit(client, {"user_id": "7"}).status_code == 200
    listed = client.ok("GET", "/secure_mode_secrets", headers=PREVIEW)["data"]
    assert "secret" not in listed[1]
    path = f"/secure_mode_secrets/{made.json()['id']}"
    assert client.request("DELETE", path, headers=PREVIEW).status_code == 204
    assert visit(client, {"user_id": "7"}, secret=secret).status_code == 401
    assert client.error("DELETE", path, headers=PREVIEW)[0] == 404


def test_bulk_jobs_take_100_and_tell_only_that_items_failed(client):
    items = [{"company_id": "c1", "name": "A"}, {"name": "no key"}]
    job = client.request("POST", "/companies/bulk", json={"companies": items}, headers=PREVIEW)
    assert job.status_code == 202
    assert job.json()["state"] == "running"
    done = client.ok("GET", f"/companies/bulk/{job.json()['id']}", headers=PREVIEW)
    assert done["state"] == "completed_with_errors"
    assert client.ok("GET", "/companies?company_id=c1")["name"] == "A"
    people = [
        {"external_id": "1", "email": "a@b.example", "companies": [{"company_id": "c1"}]},
        {"external_id": "1"},
    ]
    client.request("POST", "/contacts/bulk", json={"contacts": people}, headers=PREVIEW)
    contact = client.ok("GET", "/contacts/find_by_external_id/1")
    assert contact["companies"]["total_count"] == 1
    changes = [
        {"id": contact["id"], "name": "N", "companies": [{"company_id": "c1", "remove": True}]}
    ]
    client.request("PUT", "/contacts/bulk", json={"contacts": changes}, headers=PREVIEW)
    contact = client.ok("GET", f"/contacts/{contact['id']}")
    assert (contact["name"], contact["companies"]["total_count"]) == ("N", 0)
    gone = {"contacts": [{"id": contact["id"]}]}
    client.request("POST", "/contacts/bulk/delete", json=gone, headers=PREVIEW)
    assert client.request("GET", f"/contacts/{contact['id']}").status_code == 404
    for body, code in (
        ({}, "field_not_found"),
        ({"contacts": "x"}, "type_mismatch"),
        ({"contacts": [1]}, "type_mismatch"),
        ({"contacts": [{"email": "x@y.example"}] * 101}, "parameter_invalid"),
    ):
        assert client.error("POST", "/contacts/bulk", json=body, headers=PREVIEW)[:2] == (422, code)


def test_a_workspace_on_disk_keeps_what_it_answered(tmp_path):
    first = sweo_side(WorkspaceSettings(), tmp_path)
    made = first.state.companies.upsert({"company_id": "c1", "name": "A"})
    second = sweo_side(WorkspaceSettings(), tmp_path)
    assert second.state.companies.get(made["id"]) == made
    second.close()
    first.close()
