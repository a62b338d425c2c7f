"""What a target lets out, refuses, and takes from foreign taps."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from crosswalk.errors import FatalError, SyncError
from pipelines import TO_SWEO, Pipelines, captured_stdout
from target_sweo.target import TargetSweo
from world import World


def lines(*messages: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}, "refuses ACTIVATE_VERSION"),
        ({"type": "BATCH", "stream": "s", "encoding": {}, "manifest": []}, "no BATCH messages"),
        ({"type": "RECORD", "stream": "s", "record": {}}, "came before its SCHEMA"),
    ],
)
def test_what_no_api_can_do_is_refused_by_name(
    pipelines: Pipelines, message: dict[str, Any], reason: str
) -> None:
    with pytest.raises(FatalError, match=reason):
        pipelines.target(TO_SWEO, lines(message))


SCHEMA = {
    "type": "SCHEMA",
    "stream": "company",
    "schema": {
        "properties": {
            "company_id": {"type": "string"},
            "name": {"type": ["string", "null"]},
            "tier": {"type": ["string", "null"]},
        }
    },
    "key_properties": ["company_id"],
}


def told(key: str, tier: str) -> dict[str, Any]:
    record = {"company_id": key, "name": "From the warehouse", "tier": tier}
    return {"type": "RECORD", "stream": "company", "record": record}


def test_a_foreign_stream_is_upserted_by_its_key(world: World, pipelines: Pipelines) -> None:
    world.attribute("company", "tier", "string")
    pipelines.mappings = []
    pipelines.target(TO_SWEO, lines(SCHEMA, told("W-1", "gold")))
    made = world.sandbox.workspace.companies.find(company_id="W-1")
    assert (made["name"], made["custom_attributes"]["tier"]) == ("From the warehouse", "gold")
    world.sandbox.reset_calls()
    pipelines.target(TO_SWEO, lines(SCHEMA, told("W-1", "gold")))
    assert world.calls("sweo")["total"] == 0
    # Within the same second: a foreign tap tells no time by which a record could be too old.
    pipelines.target(TO_SWEO, lines(SCHEMA, told("W-1", "silver")))
    pipelines.target(TO_SWEO, lines(SCHEMA, told("W-1", "bronze"), told("W-1", "silver")))
    assert world.company_now(made["id"])["custom_attributes"]["tier"] == "silver"


def test_no_state_passes_a_foreign_record_that_was_not_sent(
    world: World, pipelines: Pipelines
) -> None:
    """Nobody can ask a foreign tap for one record again."""
    world.attribute("company", "tier", "string")
    pipelines.mappings = []
    messages = (SCHEMA, told("W-1", "gold"), told("W-2", "gold"))
    state = {"type": "STATE", "value": {"bookmarks": {"company": {"at": 2}}}}
    world.sandbox.fault("sweo", "status", endpoint="POST /companies", status=401, nth=2)
    with pytest.raises(SyncError):
        pipelines.target(TO_SWEO, lines(*messages, state))
    assert pipelines.state.get(TO_SWEO) is None
    assert not pipelines.ledger.revisits(TO_SWEO, "company")
    pipelines.target(TO_SWEO, lines(*messages, state))
    assert pipelines.state[TO_SWEO] == state["value"]
    assert world.sandbox.workspace.companies.find(company_id="W-2")["name"]


def test_state_waits_for_every_record_before_it(world: World, pipelines: Pipelines) -> None:
    """A target that dies in a batch has let no STATE out that covers it."""
    world.account("C-1", Name="One")
    mapped = pipelines.map(TO_SWEO, pipelines.tap(TO_SWEO))
    broken = mapped.splitlines(keepends=True)
    place = next(n for n, line in enumerate(broken) if b'"STATE"' in line)
    cut = b"".join(broken[:place]) + b"not json\n" + b"".join(broken[place:])
    with captured_stdout() as out:
        target = TargetSweo(config=pipelines.config("target-sweo"))
        with pytest.raises(FatalError, match="not a JSON object"):
            target.listen(io.BytesIO(cut))  # type: ignore[arg-type]
        target.finish("failed")
        assert out() == b""
