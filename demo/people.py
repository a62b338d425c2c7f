"""What people do on both sides, through the two REST APIs."""

from __future__ import annotations

from typing import Any

import requests

API_VERSION = "v62.0"
SWEO_VERSION = "2.16"
TIMEOUT_SECONDS = 30.0


class People:
    """Edits and reads of both sides, and their call meters."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._salesforce_url = environ["SALESFORCE_INSTANCE_URL"]
        self._sweo_url = environ["SWEO_API_URL"]
        self._session = requests.Session()
        # Else a proxy or a certificate bundle of this machine would stand in between.
        self._session.trust_env = False
        self._session.verify = environ["REQUESTS_CA_BUNDLE"]
        self._salesforce_headers = {"Authorization": f"Bearer {environ['SALESFORCE_ACCESS_TOKEN']}"}
        self._sweo_headers = {
            "Authorization": f"Bearer {environ['SWEO_ACCESS_TOKEN']}",
            "Sweo-Version": SWEO_VERSION,
        }

    # Salesforce

    def query(self, soql: str) -> list[dict[str, Any]]:
        """The rows of a short query."""
        answer = self._salesforce("GET", f"query?{requests.compat.urlencode({'q': soql})}")
        rows: list[dict[str, Any]] = answer["records"]
        return rows

    def row(self, sobject: str, record_id: str) -> dict[str, Any]:
        """One Salesforce record."""
        found: dict[str, Any] = self._salesforce("GET", f"sobjects/{sobject}/{record_id}")
        return found

    def insert(self, sobject: str, values: dict[str, Any]) -> str:
        """Make a Salesforce record; returns its id."""
        return str(self._salesforce("POST", f"sobjects/{sobject}", values)["id"])

    def edit_row(self, sobject: str, record_id: str, values: dict[str, Any]) -> None:
        """Edit a Salesforce record."""
        self._salesforce("PATCH", f"sobjects/{sobject}/{record_id}", values)

    def _salesforce(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self._salesforce_url}/services/data/{API_VERSION}/{path}"
        return self._call(method, url, self._salesforce_headers, body)

    # Sweo

    def find_company(self, company_id: str) -> dict[str, Any] | None:
        """The company of that ``company_id``, or None."""
        query = requests.compat.urlencode({"company_id": company_id})
        answer = self._session.get(
            f"{self._sweo_url}/companies?{query}",
            headers=self._sweo_headers,
            timeout=TIMEOUT_SECONDS,
        )
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def find_contacts(self, email: str) -> list[dict[str, Any]]:
        """Everybody with that email."""
        query = {"query": {"field": "email", "operator": "=", "value": email}}
        found: list[dict[str, Any]] = self._sweo("POST", "contacts/search", query)["data"]
        return found

    def record(self, kind: str, record_id: str) -> dict[str, Any]:
        """One company or contact; ``kind`` is ``companies`` or ``contacts``."""
        found: dict[str, Any] = self._sweo("GET", f"{kind}/{record_id}")
        return found

    def edit_record(self, kind: str, record_id: str, values: dict[str, Any]) -> None:
        """Edit a company or a contact."""
        self._sweo("PUT", f"{kind}/{record_id}", values)

    def _sweo(self, method: str, path: str, body: object = None) -> Any:
        return self._call(method, f"{self._sweo_url}/{path}", self._sweo_headers, body)

    def _call(self, method: str, url: str, headers: dict[str, str], body: object) -> Any:
        answer = self._session.request(
            method, url, headers=headers, json=body, timeout=TIMEOUT_SECONDS
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    # what the sandbox counted

    def calls(self) -> dict[str, dict[str, int]]:
        """API calls by side since they were last forgotten: ``reads``, ``writes``, ``total``."""
        urls = {"salesforce": self._salesforce_url, "sweo": self._sweo_url}
        return {
            side: self._call("GET", f"{u}/_sandbox/calls", {}, None) for side, u in urls.items()
        }

    def let_time_pass(self, seconds: float) -> None:
        """Move the clocks of both sides on."""
        for url in (self._salesforce_url, self._sweo_url):
            self._call("POST", f"{url}/_sandbox/clock", {}, {"advance_seconds": seconds})

    def forget_calls(self) -> None:
        """Count from zero on both sides."""
        for url in (self._salesforce_url, self._sweo_url):
            self._call("DELETE", f"{url}/_sandbox/calls", {}, None)
