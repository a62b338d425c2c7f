from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sweo_sandbox.testing import Sandbox, running_sandbox


class Endpoint:
    """Takes notifications and answers with the statuses it is told to."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: list[int] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.taken.append((body, dict(self.headers)))
                self.send_response(endpoint.statuses.pop(0) if endpoint.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def notifications(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.taken]

    def topics(self) -> list[str]:
        return [each["topic"] for each in self.notifications()]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


def test_a_notification_is_signed_and_carries_the_record(
    sandbox: Sandbox, endpoint: Endpoint
) -> None:
    sandbox.workspace.webhooks.subscribe(endpoint.url, ["company.created"])
    made = sandbox.workspace.companies.upsert({"company_id": "c1", "name": "Acme é"})
    sandbox.workspace.companies.update(made["id"], {"name": "not asked for"})
    assert sandbox.workspace.webhooks.settle()
    [(body, headers)] = endpoint.taken
    secret = sandbox.workspace_settings.client_secret.encode()
    signature = hmac.new(secret, body, hashlib.sha1).hexdigest()
    assert headers["X-Hub-Signature"] == f"sha1={signature}"
    sent = json.loads(body)
    assert (sent["type"], sent["topic"]) == ("notification_event", "company.created")
    assert (sent["delivery_attempts"], sent["delivery_status"]) == (1, "pending")
    assert sent["data"]["item"]["name"] == "Acme é"
    [delivery] = sandbox.workspace.webhooks.deliveries()
    assert delivery["state"] == "delivered"


def test_every_kind_of_change_has_its_topic(sandbox: Sandbox, endpoint: Endpoint) -> None:
    space = sandbox.workspace
    space.webhooks.subscribe(endpoint.url)
    company = space.companies.upsert({"company_id": "c1", "name": "Acme"})["id"]
    lead = space.contacts.create({"role": "lead"})["id"]
    space.contacts.update(lead, {"email": "l@x.co"})
    user = space.contacts.create({"role": "user", "email": "l@x.co"})["id"]
    space.memberships.attach(user, company)
    space.memberships.attach(user, company)  # attached already: no news
    space.contacts.update(user, {"email": "m@x.co"})
    tag = space.tags.write({"name": "vip"})["id"]
    space.tags.add("contact", user, tag)
    space.events.submit({"event_name": "e", "created_at": 1, "id": user})
    space.events.submit({"event_name": "e", "created_at": 1, "id": user})  # known already
    space.memberships.detach(user, company)
    space.contacts.set_archived(user, archived=True)
    space.contacts.set_archived(user, archived=False)
    space.contacts.delete(lead)
    space.companies.delete(company)
    space.webhooks.ping()
    assert space.webhooks.settle()
    assert endpoint.topics() == [
        "company.created",
        "contact.lead.created",
        "contact.lead.updated",
        "contact.lead.added_email",
        "contact.user.created",
        "company.contact.attached",
        "contact.user.updated",
        "contact.email.updated",
        "contact.user.tag.created",
        "event.created",
        "company.contact.detached",
        "contact.archived",
        "contact.unarchive",
        "contact.deleted",
        "company.deleted",
        "ping",
    ]
    items = {each["topic"]: each["data"]["item"] for each in endpoint.notifications()}
    assert set(items["contact.deleted"]) == {"type", "id", "external_id"}
    assert items["company.contact.attached"]["contact"]["id"] == user


def test_a_failed_try_is_repeated_once_after_a_minute(sandbox: Sandbox, endpoint: Endpoint) -> None:
    hooks = sandbox.workspace.webhooks
    sandbox.clock_sweo.freeze()
    hooks.subscribe(endpoint.url, ["company.created"])
    endpoint.statuses = [500, 503]
    sandbox.workspace.companies.upsert({"company_id": "c1"})
    assert hooks.settle()
    assert len(endpoint.taken) == 1
    sandbox.clock_sweo.advance(60)
    assert hooks.settle()
    first, second = endpoint.notifications()
    assert first["id"] == second["id"]
    assert (second["delivery_attempts"], second["delivery_status"]) == (2, "retry")
    assert second["first_sent_at"] == first["first_sent_at"]
    sandbox.clock_sweo.advance(600)
    assert hooks.settle()
    assert len(endpoint.taken) == 2
    assert hooks.deliveries()[0]["state"] == "failed"


def test_gone_ends_the_subscription_and_throttling_holds_it_back(
    sandbox: Sandbox, endpoint: Endpoint
) -> None:
    hooks, companies = sandbox.workspace.webhooks, sandbox.workspace.companies
    sandbox.clock_sweo.freeze()
    hooks.subscribe(endpoint.url, ["company.created"])
    endpoint.statuses = [429, 200, 410]
    companies.upsert({"company_id": "c1"})
    assert hooks.settle()
    companies.upsert({"company_id": "c2"})
    assert hooks.settle()
    assert len(endpoint.taken) == 1  # both wait for the minute to pass
    sandbox.clock_sweo.advance(60)
    assert hooks.settle()
    assert [d["state"] for d in hooks.deliveries()] == ["delivered", "failed"]
    assert hooks.subscriptions()[0]["active"] is False
    companies.upsert({"company_id": "c3"})
    assert hooks.settle()
    assert len(endpoint.taken) == 3


def test_notifications_lost_doubled_and_out_of_order(sandbox: Sandbox, endpoint: Endpoint) -> None:
    hooks, companies = sandbox.workspace.webhooks, sandbox.workspace.companies
    hooks.subscribe(endpoint.url, ["company.created"])
    sandbox.fault("sweo", "webhook_lost", endpoint="company.*", nth=1)
    sandbox.fault("sweo", "webhook_doubled", endpoint="company.created", nth=1)
    sandbox.clear_faults()
    for kind in ("webhook_lost", "webhook_doubled", "webhook_out_of_order"):
        sandbox.fault("sweo", kind, endpoint="company.*", times=1)
        companies.upsert({"company_id": kind})
        sandbox.clear_faults()
    companies.upsert({"company_id": "last"})
    assert hooks.settle()
    keys = [each["data"]["item"]["company_id"] for each in endpoint.notifications()]
    assert keys == ["webhook_doubled", "webhook_doubled", "last", "webhook_out_of_order"]
    doubled = [each["id"] for each in endpoint.notifications()][:2]
    assert doubled[0] == doubled[1]
    assert hooks.deliveries()[0]["state"] == "lost"


def test_what_was_owed_is_sent_after_a_restart(tmp_path: Path, endpoint: Endpoint) -> None:
    with running_sandbox(tmp_path) as before:
        before.workspace.webhooks.subscribe(endpoint.url, ["company.created"])
        endpoint.statuses = [500]
        before.workspace.companies.upsert({"company_id": "c1"})
        assert before.workspace.webhooks.settle()
    with running_sandbox(tmp_path) as after:
        after.clock_sweo.advance(61)
        assert after.workspace.webhooks.settle()
        assert after.workspace.webhooks.deliveries()[0]["delivery_attempts"] == 2


def test_subscriptions_over_the_desk(sandbox: Sandbox, endpoint: Endpoint) -> None:
    import requests

    with requests.Session() as http:
        http.trust_env = False
        http.verify = sandbox.ca_bundle
        desk = f"{sandbox.sweo_url}/_sandbox/webhooks"
        made = http.post(desk, json={"url": endpoint.url, "topics": ["contact.user.created"]})
        assert http.post(desk, json={"url": endpoint.url, "topics": ["nope"]}).status_code == 400
        assert http.post(desk, json={"url": "ftp://x"}).status_code == 400
        assert http.post(f"{desk}/ping", json={}).json() == {"owed": 1}
        assert sandbox.workspace.webhooks.settle()
        shown = http.get(desk).json()
        assert shown["subscriptions"][0]["id"] == made.json()["id"]
        assert shown["deliveries"][0]["topic"] == "ping"
        assert http.request("DELETE", desk, json={}).json() == {"ended": 1}


def test_a_hundred_and_twenty_event_names(sandbox: Sandbox) -> None:
    from sweo_sandbox.sweo.errors import ApiError

    user = sandbox.workspace.contacts.create({"role": "user", "email": "a@x.co"})["id"]
    for number in range(120):
        sandbox.workspace.events.submit({"event_name": f"e{number}", "created_at": 1, "id": user})
    with pytest.raises(ApiError):
        sandbox.workspace.events.submit({"event_name": "one more", "created_at": 1, "id": user})
    sandbox.workspace.events.submit({"event_name": "e7", "created_at": 2, "id": user})
