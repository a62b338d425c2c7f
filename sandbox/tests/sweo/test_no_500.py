"""Nonsense gets a refusal in the API's own shape, never a server error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from starlette.testclient import TestClient
from sweo_sandbox.side import sweo_side
from sweo_sandbox.sweo.routes import PREVIEW_ROUTES, ROUTES
from sweo_sandbox.sweo.settings import WorkspaceSettings

REQUESTS = [(method, path) for method, path, *_ in (*ROUTES, *PREVIEW_ROUTES)]
KEYS = st.sampled_from(
    [
        "id",
        "company_id",
        "name",
        "email",
        "role",
        "external_id",
        "plan",
        "size",
        "monthly_spend",
        "custom_attributes",
        "query",
        "pagination",
        "sort",
        "field",
        "operator",
        "value",
        "per_page",
        "starting_after",
        "from",
        "into",
        "tag_id",
        "companies",
        "users",
        "contacts",
        "event_name",
        "created_at",
        "user_id",
        "metadata",
        "event_summaries",
        "model",
        "data_type",
        "options",
        "job",
        "body",
        "archived",
        "description",
        "tags",
        "supports_web",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["AND", "=", "IN", "user", "lead", "company", "contact", "string", "options"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)
BODIES = st.dictionaries(KEYS, VALUES, max_size=6)


@pytest.fixture(scope="module")
def fuzzed():
    made = sweo_side(WorkspaceSettings(requests_per_minute=None), None)
    client = TestClient(made.app)
    client.headers["Authorization"] = f"Bearer {made.state.settings.access_token}"
    client.headers["Intercom-Version"] = "Preview"
    company = made.state.companies.upsert({"company_id": "c"})
    contact = made.state.contacts.create({"email": "a@b.example", "external_id": "7"})
    made.state.memberships.attach(contact["id"], company["id"])
    yield client, {"companies": company["id"], "contacts": contact["id"]}
    made.close()


@settings(
    deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    request=st.sampled_from(REQUESTS),
    body=BODIES,
    query=st.dictionaries(
        KEYS, st.text(max_size=8) | st.sampled_from(["user", "1", "7"]), max_size=3
    ),
    known=st.booleans(),
)
def test_nonsense_is_refused_in_the_apis_shape(
    fuzzed: Any, request: tuple[str, str], body: Any, query: dict[str, str], known: bool
) -> None:
    client, ids = fuzzed
    method, path = request
    record_id = ids.get(path.split("/")[1], "1") if known else "none"
    for name in ("id", "company_id", "tag_id", "external_id"):
        path = path.replace(f"{{{name}}}", record_id)
    options = {} if method in ("GET", "DELETE") else {"json": body}
    response = client.request(method, path, params=query, **options)
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.json()["type"] == "error.list"
        assert response.json()["errors"][0]["code"]
