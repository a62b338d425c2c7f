from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sweo_sandbox.clock import Clock
from sweo_sandbox.salesforce import lifecycle, queries
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.salesforce.queries import QueryCursor
from sweo_sandbox.salesforce.settings import OrgSettings

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
minutes = st.integers(0, 600)
spans = st.lists(st.tuples(st.sampled_from((">", ">=", "<", "<=")), minutes), max_size=3)


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    made = Org(OrgSettings(), None, Clock())
    yield made
    made.close()


def stamp(minute: int) -> int:
    return round((BEGIN + timedelta(minutes=minute)).timestamp() * 1000)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_the_number_told_is_the_number_of_records(org: Org, data: Any) -> None:
    account = org.schema.sobjects["account"]
    org.reset()
    rows = [{"Name": "a", "SystemModstamp": stamp(m)} for m in data.draw(st.lists(minutes))]
    ids = org.bulk_load("Account", rows) if rows else []
    for record_id in ids:
        fate = data.draw(st.sampled_from(("kept", "moved", "binned", "gone", "restored")))
        if fate == "moved":
            columns = {"SystemModstamp": stamp(data.draw(minutes))}
            org.set_columns("Account", record_id, columns)
        elif fate != "kept":
            org.delete("Account", record_id, hard=fate == "gone")
        if fate == "restored":
            lifecycle.undelete(org, account, record_id)
    if data.draw(st.booleans()):
        lifecycle.empty_recycle_bin(org)
    conditions = [
        f"SystemModstamp {operator} {(BEGIN + timedelta(minutes=minute)).isoformat()[:19]}Z"
        for operator, minute in data.draw(spans)
    ]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    compiled = queries.compiled(org, f"SELECT Id FROM Account{where}", org.human_user_id)
    cursor = QueryCursor(org, compiled, compiled.json_sql())
    try:
        counted = cursor.total
        assert compiled.stamped is not None
        assert counted == len(cursor.page(0, 10_000))
    finally:
        cursor.close()


@pytest.mark.parametrize(
    "ending",
    [
        "WHERE Name = 'a'",
        "WHERE SystemModstamp > 2026-01-01T00:00:00Z OR Name = 'a'",
        "WHERE SystemModstamp = TODAY",
        "WHERE SystemModstamp != 2026-01-01T00:00:00Z",
        "WHERE Owner.SystemModstamp > 2026-01-01T00:00:00Z",
        "WHERE NOT (SystemModstamp > 2026-01-01T00:00:00Z)",
        "LIMIT 5",
        "ALL ROWS",
    ],
)
def test_any_other_query_is_counted_by_its_rows(org: Org, ending: str) -> None:
    soql = f"SELECT Id FROM Account {ending}"
    assert queries.compiled(org, soql, org.human_user_id).stamped is None


def test_a_limited_query_tells_what_it_gives(org: Org) -> None:
    org.reset()
    org.bulk_load("Account", [{"Name": str(n)} for n in range(10)])
    for ending, wanted in (("LIMIT 4", 4), ("LIMIT 4 OFFSET 8", 2), ("OFFSET 12", 0)):
        soql = f"SELECT Id FROM Account {ending}"
        compiled = queries.compiled(org, soql, org.human_user_id)
        cursor = QueryCursor(org, compiled, compiled.json_sql())
        assert cursor.total == wanted
        cursor.close()
