"""The python-intercom SDK, unchanged: by its built-in host, and by an address it is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from outside.environments import run_program
from sweo_sandbox.testing import Sandbox

PROGRAM = Path(__file__).parent / "programs" / "intercom_sdk.py"


@pytest.mark.parametrize("way", ["built-in host", "base_url"])
def test_the_sdk_reads_and_writes_a_workspace(sandbox: Sandbox, way: str) -> None:
    sandbox.workspace.segments.add(
        "Big", {"field": "company_id", "operator": "=", "value": "c1"}, model="company"
    )
    port = sandbox.sweo_url.rpartition(":")[2]
    where = (
        {"HTTPS_PROXY": f"http://localhost:{port}"}
        if way == "built-in host"
        else {"BASE_URL": sandbox.sweo_url}
    )
    facts = json.loads(run_program("python-intercom", PROGRAM, {**sandbox.env(), **where}))
    assert facts["me"] == sandbox.workspace_settings.workspace_id
    assert facts["attribute"] == "health"
    assert facts["upserted"] == [True, "Acme 2", {"health": 7}]
    assert facts["found"] == facts["retrieved"] == "Acme 3"
    assert facts["roles"] == ["user", "lead"]
    assert facts["conflict"] == 409
    assert len(facts["attached"]) == facts["members"] == 1
    assert facts["listed"] == facts["scrolled"] == ["c1"]
    assert facts["searched"] == [f"p{number}@acme.co" for number in range(7)]
    assert facts["named"] == ["Ada"]
    assert facts["events"] == ["signed"]
    assert facts["segments"] == ["Big"]
    assert facts["tags"] == ["vip"]
    assert "Hello" in facts["note"]
    assert facts["merged"] == [True, 410]
    assert facts["deleted"] is True
    assert facts["company_deleted"] is True
    assert facts["refusals"] == [404, 404, 400, 400, 401]
    assert sandbox.workspace.contacts.get(facts["members"] and _ada(sandbox))["phone"]


def _ada(sandbox: Sandbox) -> str:
    found = sandbox.workspace.database.row("SELECT id FROM contact WHERE name = 'Ada'")
    assert found is not None
    return str(found["id"])
