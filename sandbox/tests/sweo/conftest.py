"""A workspace in memory and a client that speaks to it in-process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from sweo_sandbox.side import Side, sweo_side
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.sweo.workspace import Workspace

NOW = 1_790_000_000


class Client:
    """Requests with the access token; ``ok`` asserts success and gives the JSON."""

    def __init__(self, side: Side, token: str) -> None:
        self.http = TestClient(side.app)
        self.http.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, path: str, **options: Any) -> Any:
        return self.http.request(method, path, **options)

    def ok(self, method: str, path: str, **options: Any) -> Any:
        response = self.request(method, path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def error(self, method: str, path: str, **options: Any) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        response = self.request(method, path, **options)
        body = response.json()
        assert body["type"] == "error.list"
        return response.status_code, body["errors"][0]["code"], body["errors"][0]["message"]

    def contact(self, **body: Any) -> dict[str, Any]:
        return self.ok("POST", "/contacts", json=body)

    def company(self, company_id: str, **body: Any) -> dict[str, Any]:
        return self.ok("POST", "/companies", json={"company_id": company_id, **body})

    def attach(self, contact: dict[str, Any], company: dict[str, Any]) -> None:
        self.ok("POST", f"/contacts/{contact['id']}/companies", json={"id": company["id"]})

    def attribute(self, model: str, name: str, data_type: str, **more: Any) -> dict[str, Any]:
        body = {"model": model, "name": name, "data_type": data_type, **more}
        return self.ok("POST", "/data_attributes", json=body)

    def search(self, query: dict[str, Any], version: str = "2.16", **more: Any) -> Any:
        return self.ok(
            "POST",
            "/contacts/search",
            json={"query": query, **more},
            headers={"Intercom-Version": version},
        )


@pytest.fixture
def side() -> Iterator[Side]:
    made = sweo_side(WorkspaceSettings(), None)
    made.clock.freeze(NOW * 1000)
    yield made
    made.close()


@pytest.fixture
def workspace(side: Side) -> Workspace:
    return side.state  # type: ignore[no-any-return]


@pytest.fixture
def client(side: Side) -> Client:
    return Client(side, side.state.settings.access_token)
