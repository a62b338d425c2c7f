from __future__ import annotations

import operator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sweo_sandbox.clock import Clock
from sweo_sandbox.sweo.errors import ApiError
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.sweo.versions import ApiVersion
from sweo_sandbox.sweo.workspace import Workspace

NOW = 1_790_000_000
EXACT = ApiVersion(preview=True, minor=999)
DAYS = ApiVersion(preview=False, minor=16)

names = st.sampled_from([None, "Ann", "ann", "Bob_100%", "שלום", "🚀 Anna"])
people = st.lists(
    st.tuples(names, st.sampled_from([None, 0, 5, 9]), st.integers(0, 200_000)), max_size=12
)
COMPARE = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def simple_filters() -> st.SearchStrategy[dict[str, object]]:
    text = st.sampled_from(["Ann", "ann", "Bob_100%", "_", "%", "🚀", "x"])
    return st.one_of(
        st.builds(
            lambda op, value: {"field": "name", "operator": op, "value": value},
            st.sampled_from(["=", "!=", "~", "!~", "^", "$"]),
            text,
        ),
        st.builds(
            lambda op, value: {"field": "name", "operator": op, "value": value},
            st.sampled_from(["IN", "NIN"]),
            st.lists(text, min_size=1, max_size=3),
        ),
        st.builds(
            lambda op, value: {"field": "custom_attributes.nps", "operator": op, "value": value},
            st.sampled_from([*COMPARE]),
            st.sampled_from([0, 5, 9]),
        ),
        st.builds(
            lambda op, value: {"field": "updated_at", "operator": op, "value": value},
            st.sampled_from([*COMPARE]),
            st.integers(NOW - 1, NOW + 200_001),
        ),
    )


def grouped(children: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[dict[str, object]]:
    return st.builds(
        lambda op, parts: {"operator": op, "value": parts},
        st.sampled_from(["AND", "OR"]),
        st.lists(children, min_size=1, max_size=3),
    )


queries = st.one_of(
    simple_filters(),
    grouped(simple_filters()),
    grouped(st.one_of(simple_filters(), grouped(simple_filters()))),
)


def holds(query: dict, name: str | None, nps: int | None, updated_at: int) -> bool:
    """What the filter means, written without SQL."""
    kind, value = query["operator"], query["value"]
    if kind == "AND":
        return all(holds(part, name, nps, updated_at) for part in value)
    if kind == "OR":
        return any(holds(part, name, nps, updated_at) for part in value)
    if query["field"] == "name":
        if kind in ("=", "IN"):
            return name in (value if kind == "IN" else [value])
        if kind in ("!=", "NIN"):
            return name not in (value if kind == "NIN" else [value])
        if name is None:
            return kind == "!~"
        low, wanted = _lower(name), _lower(value)
        found = {
            "^": low.startswith(wanted),
            "$": low.endswith(wanted),
        }.get(kind, wanted in low)
        return found != (kind == "!~")
    held = nps if query["field"] == "custom_attributes.nps" else updated_at
    if held is None:
        return kind == "!="
    return COMPARE[kind](held, value)


def _lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


@pytest.fixture(scope="module")
def searched():
    clock = Clock()
    clock.freeze(NOW * 1000)
    workspace = Workspace(WorkspaceSettings(), None, clock)
    yield workspace
    workspace.close()


def fill(workspace: Workspace, rows: list) -> dict[str, tuple]:
    workspace.reset()
    workspace.attributes.create({"name": "nps", "model": "contact", "data_type": "integer"}, NOW)
    held = {}
    for name, nps, offset in rows:
        workspace.clock.freeze((NOW + offset) * 1000)
        custom = {} if nps is None else {"nps": nps}
        body = {"role": "lead", "name": name, "custom_attributes": custom}
        held[workspace.contacts.create(body)["id"]] = (name, nps, NOW + offset)
    return held


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=people, query=queries)
def test_search_means_what_the_filter_says(searched, rows, query):
    held = fill(searched, rows)
    found = searched.search("contact", {"query": query, "pagination": {"per_page": 150}}, EXACT)
    expected = {i for i, values in held.items() if holds(query, *values)}
    assert {c["id"] for c in found["data"]} == expected
    assert found["total_count"] == len(expected)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=people,
    per_page=st.integers(1, 5),
    field=st.sampled_from(["updated_at", "created_at", "name", "custom_attributes.nps"]),
    order=st.sampled_from(["ascending", "descending"]),
)
def test_pages_give_every_contact_once_and_in_order(searched, rows, per_page, field, order):
    held = fill(searched, rows)
    body = {
        "query": {"field": "role", "operator": "=", "value": "lead"},
        "sort": {"field": field, "order": order},
        "pagination": {"per_page": per_page},
    }
    seen = []
    while True:
        page = searched.search("contact", body, DAYS)
        seen += page["data"]
        if "next" not in page["pages"]:
            break
        body["pagination"]["starting_after"] = page["pages"]["next"]["starting_after"]
    assert sorted(c["id"] for c in seen) == sorted(held)
    if field in ("updated_at", "created_at"):
        times = [c[field] for c in seen]
        assert times == sorted(times, reverse=order == "descending")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "UTC", "Asia/Kolkata", "Pacific/Auckland"])
def test_up_to_2_16_times_are_days_of_the_workspace(client, workspace, side, zone):
    workspace.settings.timezone = zone
    midnight = int(datetime(2026, 3, 8, tzinfo=ZoneInfo(zone)).timestamp())
    following = int(datetime(2026, 3, 9, tzinfo=ZoneInfo(zone)).timestamp())
    made = {}
    moments = {
        "before": midnight - 1,
        "start": midnight,
        "end": following - 1,
        "after": following,
    }
    for label, moment in moments.items():
        side.clock.freeze(moment * 1000)
        made[client.contact(email=f"{label}@b.example")["id"]] = label

    def found(comparison, version="2.16"):
        query = {"field": "updated_at", "operator": comparison, "value": midnight + 40_000}
        return {made[c["id"]] for c in client.search(query, version)["data"]}

    assert found("=") == {"start", "end"}
    assert found(">") == {"after"}
    assert found("<") == {"before"}
    assert found("=", "Preview") == set()
    assert found(">", "Preview") == {"end", "after"}
    assert found("<=", "2.17") == {"before", "start"}


@pytest.mark.parametrize("kind", ["!=", ">=", "<=", "IN", "NIN", "~"])
def test_days_know_three_operators(client, kind):
    body = {"query": {"field": "created_at", "operator": kind, "value": NOW}}
    assert client.error("POST", "/contacts/search", json=body)[:2] == (400, "invalid_operator")


LEAF = {"field": "role", "operator": "=", "value": "user"}


def nested(levels: int) -> dict:
    return LEAF if levels == 0 else {"operator": "AND", "value": [nested(levels - 1)]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (None, "parameter_invalid"),
        ({"operator": "AND", "value": []}, "parameter_invalid"),
        (nested(3), "parameter_invalid"),
        ({"operator": "OR", "value": [LEAF] * 16}, "parameter_invalid"),
        ({"field": "shoe_size", "operator": "=", "value": 1}, "invalid_field"),
        ({"field": "custom_attributes.x", "operator": "=", "value": 1}, "invalid_field"),
        ({"field": "name", "operator": ">", "value": "a"}, "invalid_operator"),
        ({"field": "tag_id", "operator": "IN", "value": ["1"]}, "invalid_operator"),
        ({"field": "name", "operator": "IN", "value": "a"}, "parameter_invalid"),
        ({"field": "created_at", "operator": ">", "value": "foorbar"}, "parameter_invalid"),
        ({"field": "created_at", "operator": ">", "value": 10**18}, "parameter_invalid"),
        ({"field": "unsubscribed_from_emails", "operator": "=", "value": 3}, "parameter_invalid"),
    ],
)
def test_a_wrong_query_is_refused(client, query, code):
    refusal = client.error("POST", "/contacts/search", json={"query": query})
    assert refusal[:2] == (400, code)


def test_limits_of_the_language_are_allowed(client):
    client.search(nested(2))
    client.search({"operator": "OR", "value": [LEAF] * 15})


@pytest.mark.parametrize(
    "pagination", [{"per_page": 151}, {"per_page": 0}, {"starting_after": "x"}]
)
def test_pages_hold_150_at_most(client, pagination):
    body = {"query": LEAF, "pagination": pagination}
    assert client.error("POST", "/contacts/search", json=body)[0] == 400


def test_a_wrong_sort_order_says_which_there_are(client):
    body = {"query": LEAF, "sort": {"field": "name", "order": "desc"}}
    assert client.error("POST", "/contacts/search", json=body) == (
        400,
        "invalid_sort_order",
        "Invalid sort order 'desc'. Must be one of: ascending, descending",
    )


def test_the_index_lags_behind_the_records(client, side, workspace):
    workspace.settings.index_lag_seconds = 60
    contact = client.contact(email="a@b.example", name="old")
    query = {"field": "email", "operator": "=", "value": "a@b.example"}

    def indexed():
        return [c["name"] for c in client.search(query)["data"]]

    assert indexed() == []
    side.clock.advance(61)
    assert indexed() == ["old"]
    client.ok("PUT", f"/contacts/{contact['id']}", json={"name": "newer"})
    side.clock.advance(1)
    client.ok("PUT", f"/contacts/{contact['id']}", json={"name": "newest"})
    assert indexed() == ["old"]
    assert client.ok("GET", f"/contacts/{contact['id']}")["name"] == "newest"
    side.clock.advance(59.5)
    assert indexed() == ["newer"]
    side.clock.advance(1)
    assert indexed() == ["newest"]
    client.ok("DELETE", f"/contacts/{contact['id']}")
    assert indexed() == ["newest"]
    side.clock.advance(61)
    assert indexed() == []


def test_companies_are_searched_in_preview_only(client):
    client.attribute("company", "seats", "integer")
    company = client.company("c1", custom_attributes={"seats": 5})
    client.attach(client.contact(email="a@b.example"), company)
    body = {"query": {"field": "custom_attributes.seats", "operator": ">=", "value": 5}}
    assert client.error("POST", "/companies/search", json=body)[0] in (404, 405)
    preview = {"Intercom-Version": "Preview"}
    found = client.ok("POST", "/companies/search", json=body, headers=preview)
    assert [c["company_id"] for c in found["data"]] == ["c1"]
    unsearchable = {"query": {"field": "plan.name", "operator": "=", "value": "Pro"}}
    refusal = client.error("POST", "/companies/search", json=unsearchable, headers=preview)
    assert refusal[:2] == (400, "invalid_field")


def test_a_segment_may_not_hold_segments(workspace):
    with pytest.raises(ApiError):
        workspace.segments.add("x", {"field": "segment_id", "operator": "=", "value": "1"})
