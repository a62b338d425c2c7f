"""What is owed, what stands, and what is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from crosswalk.ledger import IntendedField, Intent, Ledger, Link, Quarantined, schema
from crosswalk.ledger.clock import parse_stamp
from crosswalk.ledger.commit import (
    ChangeRow,
    Commit,
    ConflictRow,
    RevisitRow,
    WaitingRow,
    Writer,
)
from crosswalk.ledger.runs import approve, begin_run, end_run, forget_before, take_approval
from crosswalk.mapping import Side
from sqlalchemy import select

SF, SWEO = Side.SALESFORCE, Side.SWEO


def committed(ledger: Ledger, mapping: str = "accounts", **parts: object) -> list[Link]:
    return Writer(ledger).commit(Commit("to_sweo", mapping, "r1", **parts))  # type: ignore[arg-type]


def rows(ledger: Ledger, table: str) -> list[dict[str, object]]:
    with ledger.reader.connect() as connection:
        found = connection.execute(select(schema.metadata.tables[table])).mappings()
        return [dict(row) for row in found]


def due(ledger: Ledger, mapping: str = "accounts") -> list[tuple[str, str]]:
    return [(e.source_id, e.reason) for e in ledger.revisits("to_sweo", mapping)]


# revisits


def test_a_visit_clears_the_entries_it_carried_and_not_one_added_meanwhile(
    ledger: Ledger,
) -> None:
    committed(ledger, revisits=[RevisitRow("to_sweo", "accounts", "001", "moved")])
    carried = [entry.number for entry in ledger.revisits("to_sweo", "accounts")]
    committed(ledger, revisits=[RevisitRow("to_sweo", "accounts", "001", "operator")])
    committed(ledger, revisited=carried)
    assert due(ledger) == [("001", "operator")]
    committed(ledger, revisited=[e.number for e in ledger.revisits("to_sweo", "accounts")])
    committed(ledger, revisits=[RevisitRow("to_sweo", "accounts", "001", "moved")])
    [entry] = ledger.revisits("to_sweo", "accounts")
    assert entry.number > max(carried)


def test_an_entry_waits_for_its_time_and_its_direction(ledger: Ledger, clock) -> None:
    committed(
        ledger,
        revisits=[
            RevisitRow("to_sweo", "accounts", "001", "later", seconds=600),
            RevisitRow("to_salesforce", "accounts", "c1", "now"),
            RevisitRow("to_sweo", "contacts", "003", "now"),
        ],
    )
    assert due(ledger) == []
    clock.advance(seconds=599.999)
    assert due(ledger) == []
    clock.advance(seconds=0.001)
    assert due(ledger) == [("001", "later")]
    assert [e.source_id for e in ledger.revisits("to_salesforce", "accounts")] == ["c1"]


def test_one_batch_asks_for_a_record_once_for_each_reason(ledger: Ledger) -> None:
    row = RevisitRow("to_sweo", "accounts", "001", "moved")
    committed(ledger, revisits=[row, row, RevisitRow("to_sweo", "accounts", "001", "merged")])
    assert due(ledger) == [("001", "moved"), ("001", "merged")]


def test_a_batch_may_clear_any_number_of_entries(ledger: Ledger) -> None:
    committed(ledger, revisits=[RevisitRow("to_sweo", "accounts", "001", "moved")])
    [entry] = ledger.revisits("to_sweo", "accounts")
    committed(ledger, revisited=[entry.number, *range(1_000_000, 1_070_000)])
    assert due(ledger) == []


# quarantine


def refused(source_id: str = "001", field: str = "") -> Quarantined:
    return Quarantined("accounts", source_id, field, "TOO_LONG", "It is too long.", "Shorten it.")


def test_quarantine_is_tried_at_once_then_ever_later_and_at_least_daily(
    ledger: Ledger, clock
) -> None:
    waits: list[float] = []
    for tries in range(1, 12):
        numbers = [entry.number for entry in ledger.revisits("to_sweo", "accounts")]
        committed(ledger, revisited=numbers, quarantined=[refused()])
        [row] = rows(ledger, "quarantine")
        [entry] = rows(ledger, "revisit")
        assert row["tries"] == tries
        assert row["first_at"] == "2026-03-01T12:00:00.000000Z"
        assert row["last_at"] == ledger.now()
        wait = (parse_stamp(str(row["next_at"])) - clock()).total_seconds()
        if wait:
            assert entry["not_before"] == row["next_at"]
            clock.advance(seconds=wait - 0.001)
            assert due(ledger) == []
            clock.advance(seconds=0.001)
        assert due(ledger) == [("001", "quarantine")]
        waits.append(wait)
    assert waits == [0, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 86400, 86400]


def test_a_healed_record_leaves_nothing(ledger: Ledger) -> None:
    committed(ledger, quarantined=[refused("001", "Name"), refused("001", "Phone"), refused("002")])
    assert ledger.quarantined("to_sweo", "accounts") == {"001", "002"}
    committed(ledger, healed=["001"])
    assert ledger.quarantined("to_sweo", "accounts") == {"002"}
    assert due(ledger) == [("002", "quarantine")]


def test_healing_asks_for_no_other_mapping_and_no_other_direction(ledger: Ledger) -> None:
    Writer(ledger).commit(Commit("to_salesforce", "accounts", "r", quarantined=[refused()]))
    committed(ledger, healed=["001"])
    assert ledger.quarantined("to_salesforce", "accounts") == {"001"}
    assert len(ledger.revisits("to_salesforce", "accounts")) == 1


def test_other_types_let_everything_be_tried_again(ledger: Ledger) -> None:
    committed(ledger, quarantined=[refused()])
    committed(
        ledger,
        revisited=[e.number for e in ledger.revisits("to_sweo", "accounts")],
        quarantined=[refused()],
        revisits=[RevisitRow("to_sweo", "accounts", "009", "deferred", seconds=900)],
    )
    assert due(ledger) == []
    Writer(ledger).retry_quarantine("to_sweo", "accounts")
    assert due(ledger) == [("001", "quarantine")]


# waiting


def waits(record_id: str, **values: object) -> WaitingRow:
    row = {"mapping": "accounts", "side": SF, "place": 0, "modified_at": "2026-01-01"} | values
    return WaitingRow(record_id=record_id, **row)  # type: ignore[arg-type]


def test_the_one_to_prefer_stands_first(ledger: Ledger) -> None:
    committed(
        ledger,
        waiting=[
            waits("old", key_hash="k", modified_at="2026-01-01T00:00:00Z"),
            waits("lead", key_hash="k", modified_at="2026-01-09T00:00:00Z", rank=1),
            waits("new", key_hash="k", modified_at="2026-01-02T00:00:00Z"),
            waits("other place", key_hash="k", place=1),
            waits("other key", key_hash="l"),
            waits("other side", key_hash="k", side=SWEO),
        ],
    )
    found = ledger.waiters("accounts", SF, 0, ["k", "m"])
    assert [waiter.record_id for waiter in found["k"]] == ["new", "old", "lead"]
    assert set(found) == {"k"}
    assert ledger.waiting_on("accounts", SF, ["old", "gone", "other side"]) == {"old"}


def test_a_record_waits_under_its_latest_key(ledger: Ledger) -> None:
    committed(ledger, waiting=[waits("001", key_hash="a")])
    committed(ledger, waiting=[waits("001", key_hash="b"), waits("001", key_hash="c")])
    assert ledger.waiters("accounts", SF, 0, ["a", "b"]) == {}
    assert [w.record_id for w in ledger.waiters("accounts", SF, 0, ["c"])["c"]] == ["001"]


def test_one_that_waits_no_longer_may_wait_again_in_the_same_batch(ledger: Ledger) -> None:
    committed(ledger, waiting=[waits("001", key_hash="a"), waits("001", key_hash="x", place=1)])
    committed(ledger, no_longer_waiting=[(SF, "001")], waiting=[waits("001", key_hash="b")])
    assert len(rows(ledger, "waiting")) == 1
    committed(ledger, no_longer_waiting=[(SF, "001")])
    assert rows(ledger, "waiting") == []


def test_a_linked_parent_calls_its_children(ledger: Ledger) -> None:
    committed(
        ledger,
        "contacts",
        waiting=[
            waits("003", mapping="contacts", parent_mapping="accounts", parent_id="001"),
            waits("004", mapping="contacts", parent_mapping="accounts", parent_id="002"),
        ],
    )
    committed(ledger, parents_linked=[("accounts", "001")])
    assert due(ledger, "contacts") == [("003", "parent linked")]


# conflicts


@pytest.fixture
def link(ledger: Ledger) -> Link:
    made = Writer(ledger).open_link("accounts", "001", "c1", "r1")
    assert made is not None
    return made


def conflict(link: Link, number: int, ours: str, winner: Side | None = None) -> ConflictRow:
    return ConflictRow(
        link_id=link.id,
        field_number=number,
        mapping="accounts",
        reason="both sides changed",
        base={SF: "old", SWEO: "old"},
        values={SF: ours, SWEO: "theirs"},
        at={SF: "2026-01-01", SWEO: None},
        by={SF: "005", SWEO: None},
        winner=winner,
        status="decided" if winner else "open",
    )


def test_a_new_conflict_replaces_what_stood_and_keeps_what_is_settled(
    ledger: Ledger, link: Link
) -> None:
    number = ledger.field_number("accounts", "A", "a", "both", {SF: "text", SWEO: "text"})
    other = ledger.field_number("accounts", "B", "b", "both", {SF: "text", SWEO: "text"})
    committed(ledger, conflicts=[conflict(link, number, "1"), conflict(link, other, "1")])
    committed(ledger, conflicts=[conflict(link, number, "2", SF)])
    verdicts = ledger.verdicts([link.id])[link.id]
    assert (verdicts[str(number)].salesforce, verdicts[str(number)].winner) == ("2", SF)
    assert verdicts[str(other)].status == "open"
    committed(ledger, settled=[verdicts[str(number)].id])
    assert set(ledger.verdicts([link.id])[link.id]) == {str(other)}
    committed(ledger, conflicts=[conflict(link, number, "3")])
    statuses = sorted(str(row["status"]) for row in rows(ledger, "conflict"))
    assert statuses == ["open", "open", "settled"]


# intents


def intent(link: Link | None, source_id: str = "001") -> Intent:
    return Intent(
        id=0,
        link_id=link.id if link else None,
        mapping="accounts",
        direction="to_sweo",
        source_id=source_id,
        run_id="r1",
        fields={"1": IntendedField(x="new", old="old", to="new"), "2": IntendedField(1, None, 1)},
        put_at="2026-03-01T12:00:00Z",
    )


def test_an_intent_is_there_before_the_write_and_gone_with_the_commit(
    ledger: Ledger, link: Link
) -> None:
    one, create = intent(link), intent(None, "002")
    Writer(ledger).put_intents([one, create])
    assert one.id != create.id
    assert ledger.open_intents("accounts") == {link.id: [one]}
    assert ledger.create_intents("to_sweo", "accounts", ["001", "002"]) == [create]
    committed(ledger, links=[link], intents_done=[one, create])
    assert ledger.open_intents("accounts") == {}
    assert ledger.create_intents("to_sweo", "accounts", ["002"]) == []


def test_an_intent_stays_where_its_base_could_not_move(ledger: Ledger, link: Link) -> None:
    one = intent(link)
    Writer(ledger).put_intents([one])
    stale = ledger.pair("accounts", "001", "c1")
    assert stale is not None
    committed(ledger, links=[link])
    assert committed(ledger, links=[stale], intents_done=[one]) == [stale]
    assert ledger.open_intents("accounts") == {link.id: [one]}


def test_a_partly_settled_intent_keeps_the_rest(ledger: Ledger, link: Link) -> None:
    one = intent(link)
    Writer(ledger).put_intents([one])
    del one.fields["1"]
    committed(ledger, intents_left=[one])
    [found] = ledger.open_intents("accounts")[link.id]
    assert found.fields == {"2": IntendedField(1, None, 1)}


def test_the_intents_of_a_link_end_with_it(ledger: Ledger, link: Link) -> None:
    Writer(ledger).put_intents([intent(link), intent(None)])
    Writer(ledger).close_link(link, "merged")
    assert [row["link_id"] for row in rows(ledger, "intent")] == [None]


# a commit is whole


def test_a_batch_that_fails_half_way_leaves_nothing(ledger: Ledger, link: Link) -> None:
    from crosswalk.errors import SyncError

    link.base[SF]["1"] = "moved"
    with pytest.raises(SyncError):
        committed(
            ledger,
            links=[link],
            revisits=[RevisitRow("to_sweo", "accounts", "001", None)],  # type: ignore[arg-type]
        )
    assert rows(ledger, "revisit") == []
    found = ledger.pair("accounts", "001", "c1")
    assert found is not None
    assert (found.version, found.base[SF]) == (1, {})


def test_an_empty_batch_costs_nothing(ledger: Ledger) -> None:
    ledger.close()
    assert Writer(ledger).commit(Commit("to_sweo", "accounts", "r")) == []
    assert ledger.engine.pool.checkedin() == 0  # type: ignore[attr-defined]


# runs and what is forgotten


def test_old_lines_are_forgotten_and_open_ones_are_not(ledger: Ledger, link: Link, clock) -> None:
    number = ledger.field_number("accounts", "A", "a", "both", {SF: "text", SWEO: "text"})

    def everything() -> None:
        begin_run(ledger, f"run {ledger.now()}", "to_sweo")
        committed(
            ledger,
            changes=[ChangeRow("accounts", "001", "c1", "a", SWEO, "x", "y", "updated")],
            quarantined=[refused()],
            conflicts=[conflict(link, number, ledger.now())],
        )

    everything()
    [standing] = ledger.verdicts([link.id])[link.id].values()
    committed(ledger, settled=[standing.id])
    clock.advance(seconds=1)
    everything()
    clock.advance(days=30, seconds=-1)
    forget_before(ledger, 30)
    assert len(rows(ledger, "change")) == 2
    clock.advance(seconds=2)
    everything()
    forget_before(ledger, 30)
    assert [row["at"] for row in rows(ledger, "change")] == [ledger.now()]
    assert [row["started_at"] for row in rows(ledger, "run")] == [ledger.now()]
    assert [row["status"] for row in rows(ledger, "conflict")] == ["open"]
    assert len(rows(ledger, "quarantine")) == 1


def test_writes_of_late_are_counted_by_value(ledger: Ledger, clock) -> None:
    change = ChangeRow("accounts", "001", "c1", "a", SWEO, "x", "y", "updated")
    committed(ledger, changes=[change])
    clock.moment += timedelta(hours=23)
    committed(ledger, changes=[change])
    assert ledger.recent_writes("accounts", SWEO, ["001"], 24) == {("001", "a", '"y"'): 2}
    clock.moment += timedelta(hours=2)
    assert ledger.recent_writes("accounts", SWEO, ["001"], 24) == {("001", "a", '"y"'): 1}
    assert ledger.recent_writes("accounts", SF, ["001"], 24) == {}


def test_an_approval_counts_once_and_for_its_direction(ledger: Ledger) -> None:
    begin_run(ledger, "r1", "to_sweo")
    end_run(ledger, "r1", "failed", {"read": 3}, 7)
    assert not take_approval(ledger, "to_sweo")
    assert approve(ledger, "r1") == "to_sweo"
    assert not take_approval(ledger, "to_salesforce")
    assert take_approval(ledger, "to_sweo")
    assert not take_approval(ledger, "to_sweo")


def test_progress_is_kept_by_direction_and_mapping(ledger: Ledger) -> None:
    assert ledger.progress("to_sweo", "accounts") == (None, None)
    ledger.note_progress("to_sweo", "accounts", whole_at="1")
    ledger.note_progress("to_sweo", "accounts", keys_read_at="2")
    ledger.note_progress("to_sweo", "accounts", whole_at="3")
    assert ledger.progress("to_sweo", "accounts") == ("3", "2")
    assert ledger.progress("to_salesforce", "accounts") == (None, None)


def test_facts_of_the_two_systems_are_replaced(ledger: Ledger) -> None:
    ledger.remember("timezone", "Europe/Berlin")
    ledger.remember("timezone", "Europe/Paris")
    assert ledger.remembered("timezone") == "Europe/Paris"


@pytest.mark.parametrize("long", ["x" * 5_000, "ß" * 300, "\U0001f600" * 90])
def test_no_text_is_too_long_for_a_row(ledger: Ledger, long: str) -> None:
    committed(
        ledger,
        quarantined=[Quarantined("accounts", long[:64], long, long, long, long)],
        waiting=[waits(long[:64], key_hash="k", modified_at=long[:50])],
        changes=[ChangeRow("accounts", long, long, long, SWEO, long, long, long[:60])],
    )
    assert [row["code"] for row in rows(ledger, "quarantine")] == [long]
