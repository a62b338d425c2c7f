from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from tap_sweo.spool import Spool

ROWS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), max_size=30)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, since=st.none() | st.integers(0, 5))
def test_rows_come_out_oldest_first_and_once_in_their_newest_version(
    rows: list[tuple[str, int]], since: int | None
) -> None:
    newest: dict[str, int] = {}
    for row_id, at in rows:
        newest[row_id] = max(at, newest.get(row_id, 0))
    spool = Spool()
    try:
        spool.add((row_id, at, {"id": row_id, "updated_at": at}) for row_id, at in rows)
        found = [(r["updated_at"], r["id"]) for r in spool.oldest_first(since)]
        kept = [(at, i) for i, at in newest.items() if since is None or at >= since]
        assert found == sorted(kept)
        assert len(spool) == len(newest)
        assert spool.holds_since(since) == bool(kept)
        for row_id, at in newest.items():
            assert spool.get(row_id) == {"id": row_id, "updated_at": at}
        assert spool.get("z") is None
    finally:
        spool.close()


def test_more_rows_than_a_fetch_keep_their_order() -> None:
    spool = Spool()
    spool.add((str(n), n // 7, {"n": n}) for n in range(1_000))
    found = [row["n"] // 7 for row in spool.oldest_first()]
    assert found == sorted(found)
    assert len(found) == 1_000
    spool.close()


def test_the_file_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder of its own: other taps may be at work on this machine.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = Spool()
    spool.add([("a", 1, {})])
    assert list(tmp_path.glob("tap-sweo-*.spool"))
    spool.close()
    assert not list(tmp_path.iterdir())
