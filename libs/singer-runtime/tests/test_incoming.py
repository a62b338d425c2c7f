from __future__ import annotations

from typing import Any

from singer_runtime.incoming import newest_of_each, unpack


def record(source_id: str, read_at: str, **source: Any) -> dict[str, Any]:
    return {
        "name": read_at,
        "_source": {"id": source_id, "modified_at": read_at, "read_at": read_at, **source},
    }


def test_of_two_readings_the_fresher_stays_and_serves_every_visit() -> None:
    old = record("1", "2026-01-01T00:00:00Z", revisit=[4])
    new = record("1", "2026-01-01T00:00:05Z", revisit=[7])
    for order in ([old, new], [new, old]):
        [kept] = newest_of_each([dict(r, _source=dict(r["_source"])) for r in order])
        assert kept["name"] == "2026-01-01T00:00:05Z"
        assert sorted(kept["_source"]["revisit"]) == [4, 7]


def test_what_is_not_a_value_leaves_the_record() -> None:
    raw = record("1", "2026-01-01T00:00:00Z", deleted=True)
    raw |= {
        "_parent": {"mapping": "accounts", "source_id": None},
        "_match": ["a@x"],
        "_refused": {"seats": "too long"},
    }
    incoming = unpack(raw, b"")
    assert incoming.values == {"name": "2026-01-01T00:00:00Z"}
    assert incoming.parent == ("accounts", None)
    assert (incoming.keys, incoming.refused, incoming.deleted) == (
        ["a@x"],
        {"seats": "too long"},
        True,
    )
