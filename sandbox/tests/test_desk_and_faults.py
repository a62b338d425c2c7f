from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from sweo_sandbox.clock import Clock
from sweo_sandbox.faults import ConnectionLostError, FaultDesk
from sweo_sandbox.side import Side, sweo_side
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.testing import running_sandbox


@pytest.fixture
def side() -> Iterator[Side]:
    made = sweo_side(WorkspaceSettings(), None)
    yield made
    made.close()


@pytest.fixture
def http(side: Side) -> TestClient:
    client = TestClient(side.app)
    client.headers["Authorization"] = f"Bearer {side.state.settings.access_token}"
    return client


def test_a_frozen_clock_stands_and_a_skewed_one_runs_apart():
    clock = Clock()
    clock.freeze(5_000)
    assert clock.now_ms() == 5_000
    clock.advance(1.5)
    assert clock.now_ms() == 6_500
    clock.unfreeze()
    assert 6_500 <= clock.now_ms() < 7_500
    clock.skew(-3600)
    reading = clock.reading()
    assert reading["offset_seconds"] == pytest.approx(-3600, abs=0.1)
    assert reading["frozen"] is False


def test_the_clock_is_set_over_http(http):
    answer = http.post("/_sandbox/clock", json={"now": 1000, "freeze": True}).json()
    assert (answer["now"], answer["frozen"]) == (pytest.approx(1000, abs=1), True)
    http.post("/_sandbox/clock", json={"advance_seconds": 60})
    assert http.get("/_sandbox/clock").json()["now"] == pytest.approx(1060, abs=1)
    for order in ({}, {"tick": 1}, {"advance_seconds": "x"}, {"skew_seconds": True}):
        assert http.post("/_sandbox/clock", json=order).status_code == 400


def test_calls_reset_snapshot_and_restore(http, side):
    http.post("/companies", json={"company_id": "c1", "name": "before"})
    http.post("/_sandbox/snapshot", json={"name": "s"})
    http.post("/companies", json={"company_id": "c1", "name": "after"})
    calls = http.get("/_sandbox/calls").json()
    assert (calls["total"], calls["writes"], calls["by_endpoint"]) == (2, 2, {"POST /companies": 2})
    http.post("/_sandbox/restore", json={"name": "s"})
    assert http.get("/companies?company_id=c1").json()["name"] == "before"
    assert http.post("/_sandbox/restore", json={"name": "none"}).status_code == 400
    assert http.delete("/_sandbox/calls").json()["total"] == 0
    http.post("/_sandbox/reset")
    assert http.get("/companies?company_id=c1").status_code == 404
    assert http.get("/_sandbox/health").json() == {"status": "ok", "side": "sweo"}
    assert http.put("/_sandbox/health").status_code == 405


def test_switches_are_turned_over_http(http, side):
    answer = http.post("/_sandbox/settings", json={"index_lag_seconds": 5}).json()
    assert answer["index_lag_seconds"] == 5
    for order in ({"access_token": "x"}, {"index_lag_seconds": "x"}, {"enforce_identity": 1}):
        assert http.post("/_sandbox/settings", json=order).status_code == 400


def test_the_desk_is_for_this_machine(side):
    stranger = TestClient(side.app, client=("192.0.2.7", 1234))
    assert stranger.get("/_sandbox/health").status_code == 403


def test_a_lost_answer_was_applied_and_a_reset_before_was_not(http):
    rule = {"endpoint": "POST /companies", "times": 1}
    http.post("/_sandbox/faults", json={"kind": "reset_after", **rule})
    with pytest.raises(ConnectionLostError):
        http.post("/companies", json={"company_id": "c1"})
    assert http.get("/companies?company_id=c1").status_code == 200
    http.post("/_sandbox/faults", json={"kind": "reset_before", **rule})
    with pytest.raises(ConnectionLostError):
        http.post("/companies", json={"company_id": "c2"})
    assert http.get("/companies?company_id=c2").status_code == 404
    assert http.post("/companies", json={"company_id": "c2"}).status_code == 200


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "unauthorized"),
        (429, "rate_limit_exceeded"),
        (500, "server_error"),
        (503, "service_unavailable"),
    ],
)
def test_a_status_comes_in_the_vendors_shape_and_applies_nothing(http, side, status, code):
    order = {"kind": "status", "status": status, "endpoint": "POST */companies", "nth": 2}
    http.post("/_sandbox/faults", json=order)
    answers = [http.post("/companies", json={"company_id": f"c{n}"}) for n in range(3)]
    assert [a.status_code for a in answers] == [200, status, 200]
    assert answers[1].json()["errors"][0]["code"] == code
    assert http.get("/companies?company_id=c1").status_code == 404
    listed = http.get("/_sandbox/faults").json()["faults"][0]
    assert (listed["seen"], listed["applied"]) == (3, 1)
    assert http.delete("/_sandbox/faults").json() == {"faults": []}


def test_probability_repeats_with_its_seed():
    def struck(seed: int) -> list[bool]:
        desk = FaultDesk()
        desk.add("status", probability=0.3, seed=seed)
        return [bool(desk.strike("GET", "/x")) for _ in range(200)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"kind": "explode"},
        {"kind": "status", "status": 299},
        {"kind": "delay", "nth": 0},
        {"kind": "delay", "probability": 2},
        {"kind": "delay", "colour": "red"},
        {"faults": [3]},
    ],
)
def test_orders_that_cannot_be_carried_out(http, order):
    assert http.post("/_sandbox/faults", json=order).status_code == 400
    assert http.get("/_sandbox/faults").json() == {"faults": []}


def test_vendor_faults_reach_the_application():
    desk = FaultDesk()
    desk.add("partial_success", endpoint="POST */composite/sobjects", rows=[1])
    hit = desk.strike("POST", "/services/data/v60.0/composite/sobjects")
    assert [rule.rows for rule in hit] == [[1]]
    assert desk.strike("GET", "/services/data/v60.0/composite/sobjects") == []


def test_a_reset_stamps_new_records_with_the_real_time() -> None:
    with running_sandbox() as sandbox:
        sandbox.advance(10 * 86_400)
        sandbox.reset()
        born = sandbox.org.rows("User")[0]["CreatedDate"]
        assert born <= sandbox.clock_salesforce.now_ms()
