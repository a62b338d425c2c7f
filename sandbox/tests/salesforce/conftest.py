from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.testing import Sandbox, running_sandbox

DATA = "/services/data/v62.0"


@dataclass
class Client:
    sandbox: Sandbox
    session: requests.Session

    @property
    def org(self) -> Org:
        return self.sandbox.org

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        base = "" if path.startswith(("/services", "/id/", "/_sandbox")) else DATA
        kwargs.setdefault("timeout", 30)
        return self.session.request(method, f"{self.sandbox.salesforce_url}{base}{path}", **kwargs)

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return self.call("POST", path, json=body, **kwargs)

    def patch(self, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return self.call("PATCH", path, json=body, **kwargs)

    def query(self, soql: str, resource: str = "query") -> list[dict[str, Any]]:
        answer = self.get(f"/{resource}", params={"q": soql})
        assert answer.status_code == 200, answer.text
        return answer.json()["records"]

    def error(self, answer: requests.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()[0]["errorCode"]


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(running: Sandbox) -> Iterator[Client]:
    running.reset()
    settings = {"rotate_refresh_token": False, "bulk_seconds": 0.0, "daily_calls": 100_000}
    for name, value in settings.items():
        setattr(running.org_settings, name, value)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(running.ca_bundle)
        token = running.env()["SALESFORCE_ACCESS_TOKEN"]
        session.headers["Authorization"] = f"Bearer {token}"
        yield Client(running, session)
