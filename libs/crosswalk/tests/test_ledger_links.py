"""Links: one-to-one, remembered, moved by compare-and-set."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from crosswalk.ledger import Ledger, Link
from crosswalk.ledger.commit import Commit, Writer
from crosswalk.mapping import Side
from hypothesis import HealthCheck, given, settings, strategies as st

KINDS = {Side.SALESFORCE: "text", Side.SWEO: "text"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CANONICAL = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.lists(TEXT)
BASES = st.dictionaries(st.integers(1, 40).map(str), CANONICAL, max_size=5)


@pytest.fixture
def link(ledger: Ledger) -> Link:
    made = Writer(ledger).open_link("accounts", "001A", "c1", "r1", "hash")
    assert made is not None
    return made


def committed(ledger: Ledger, *links: Link, **parts: object) -> list[Link]:
    batch = Commit("to_sweo", "accounts", "r2", links=list(links), **parts)  # type: ignore[arg-type]
    return Writer(ledger).commit(batch)


def read(ledger: Ledger, sweo_id: str = "c1") -> Link:
    return ledger.links("accounts", Side.SWEO, [sweo_id])[sweo_id]


def test_a_link_is_found_from_both_sides_and_by_its_key(ledger: Ledger, link: Link) -> None:
    assert ledger.links("accounts", Side.SALESFORCE, ["001A", "001B"]) == {"001A": link}
    assert ledger.links("accounts", Side.SWEO, ["c1"]) == {"c1": link}
    assert ledger.links("contacts", Side.SWEO, ["c1"]) == {}
    assert ledger.links_by_key("accounts", ["hash", "other"]) == {"hash": link}
    assert ledger.pair("accounts", "001A", "c1") == link
    assert list(ledger.linked_ids("accounts", Side.SALESFORCE)) == ["001A"]


@pytest.mark.parametrize("ids", [("001A", "c2"), ("001B", "c1"), ("001A", "c1")])
def test_a_record_is_in_one_open_link_at_most(
    ledger: Ledger, link: Link, ids: tuple[str, str]
) -> None:
    assert Writer(ledger).open_link("accounts", *ids, "r2") is None
    assert Writer(ledger).open_link("contacts", *ids, "r2") is not None


def test_a_base_outlives_its_link_and_serves_when_the_same_two_meet_again(
    ledger: Ledger, link: Link
) -> None:
    link.base[Side.SALESFORCE]["1"] = "Acme"
    link.digest[Side.SALESFORCE] = b"d" * 16
    committed(ledger, link)
    Writer(ledger).close_link(read(ledger), "deleted on sweo")
    assert ledger.links("accounts", Side.SWEO, ["c1"]) == {}
    assert ledger.closed_links("accounts", Side.SWEO, ["c1"])["c1"].closed == "deleted on sweo"
    assert Writer(ledger).open_link("accounts", "001A", "c2", "r3") is not None
    Writer(ledger).close_link(read(ledger, "c2"), "rematched")
    again = Writer(ledger).open_link("accounts", "001A", "c1", "r4", "other")
    assert again is not None
    assert (again.id, again.base[Side.SALESFORCE]) == (link.id, {"1": "Acme"})
    assert (again.closed, again.digest[Side.SALESFORCE], again.key_hash) == (None, None, "other")
    assert again.version > link.version + 1


def test_a_link_that_was_closed_meanwhile_takes_no_base(ledger: Ledger, link: Link) -> None:
    Writer(ledger).close_link(link, "merged")
    link.base[Side.SALESFORCE]["1"] = "Acme"
    assert committed(ledger, link) == [link]
    [entry] = ledger.revisits("to_sweo", "accounts")
    assert (entry.source_id, entry.reason) == ("001A", "moved")


def test_of_two_batches_on_one_pair_the_later_one_loses_and_comes_again(
    ledger: Ledger, link: Link, open_ledger: Callable[[], Ledger]
) -> None:
    other = open_ledger()
    mine, theirs = read(ledger), read(other)
    mine.base[Side.SALESFORCE]["1"] = "mine"
    theirs.base[Side.SALESFORCE]["1"] = "theirs"
    assert committed(ledger, mine) == []
    assert committed(other, theirs) == [theirs]
    now = read(ledger)
    assert (now.version, now.base[Side.SALESFORCE]) == (2, {"1": "mine"})
    assert [entry.source_id for entry in ledger.revisits("to_sweo", "accounts")] == ["001A"]


def test_of_many_writers_at_once_exactly_one_wins_each_round(
    ledger: Ledger, link: Link, open_ledger: Callable[[], Ledger]
) -> None:
    ledgers = [open_ledger() for _ in range(4)]
    for round_number in range(5):
        together = threading.Barrier(len(ledgers))
        outcomes: list[bool] = []

        def write(
            own: Ledger,
            name: str,
            together: threading.Barrier = together,
            outcomes: list[bool] = outcomes,
        ) -> None:
            mine = read(own)
            mine.base[Side.SWEO]["1"] = name
            together.wait(10)
            outcomes.append(committed(own, mine) == [])

        threads = [
            threading.Thread(target=write, args=(own, f"{round_number}-{number}"))
            for number, own in enumerate(ledgers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == [False, False, False, True]
        assert read(ledger).version == round_number + 2


def test_two_that_link_one_record_at_once_make_one_link(
    open_ledger: Callable[[], Ledger],
) -> None:
    ledgers = [open_ledger() for _ in range(3)]
    made: list[Link | None] = []
    together = threading.Barrier(3)

    def meet(own: Ledger, sweo_id: str) -> None:
        together.wait(10)
        made.append(Writer(own).open_link("accounts", "001A", sweo_id, "r"))

    threads = [threading.Thread(target=meet, args=(own, f"c{n}")) for n, own in enumerate(ledgers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(link is not None for link in made) == 1
    assert len(ledgers[0].links("accounts", Side.SALESFORCE, ["001A"])) == 1


def test_two_that_open_a_new_ledger_at_once_open_the_same_one(
    open_ledger: Callable[[], Ledger],
) -> None:
    together = threading.Barrier(3)
    opened: list[Ledger] = []
    failed: list[BaseException] = []

    def begin() -> None:
        together.wait(10)
        try:
            opened.append(open_ledger())
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len({ledger.id for ledger in opened}) == 1


def test_a_reader_does_not_wait_for_a_writer(ledger: Ledger, link: Link) -> None:
    with ledger.engine.begin():
        seen: list[Link] = []
        reader = threading.Thread(target=lambda: seen.append(read(ledger)))
        reader.start()
        reader.join(10)
        assert seen == [link]


def test_a_digest_is_kept_only_for_the_version_it_was_read_at(ledger: Ledger, link: Link) -> None:
    stale = read(ledger)
    stale.digest[Side.SWEO] = b"stale".ljust(16)
    link.base[Side.SWEO]["1"] = "x"
    committed(ledger, link)
    assert committed(ledger, digests=[(stale, Side.SWEO)]) == []
    assert ledger.digests("accounts", Side.SWEO, ["c1"]) == {"c1": (link.id, None)}
    fresh = read(ledger)
    fresh.digest[Side.SALESFORCE] = b"fresh".ljust(16)
    committed(ledger, digests=[(fresh, Side.SALESFORCE)])
    assert ledger.digests("accounts", Side.SALESFORCE, ["001A", "001Z"]) == {
        "001A": (link.id, b"fresh".ljust(16))
    }
    assert read(ledger).version == fresh.version


@pytest.fixture
def link_of_examples(ledger: Ledger, link: Link) -> Link:
    return link


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(salesforce=BASES, sweo=BASES, age=st.integers(0, 2**40), digest=st.binary(max_size=16))
def test_what_is_remembered_of_a_pair_comes_back_as_it_was(
    ledger: Ledger,
    link_of_examples: Link,
    salesforce: dict[str, object],
    sweo: dict[str, object],
    age: int,
    digest: bytes,
) -> None:
    link = read(ledger)
    link.base = {Side.SALESFORCE: salesforce, Side.SWEO: sweo}  # type: ignore[dict-item]
    link.as_of[Side.SWEO] = {"*": age}
    link.digest[Side.SWEO] = digest
    link.written[Side.SALESFORCE] = "2026-01-01T00:00:00.000+0000"
    link.parent_id = "001P"
    assert committed(ledger, link) == []
    link.version += 1
    assert read(ledger) == link


def test_more_ids_than_one_statement_takes(ledger: Ledger) -> None:
    writer = Writer(ledger)
    for number in range(12):
        writer.open_link("accounts", f"001{number}", f"c{number}", "r")
    ids = [f"c{number}" for number in range(40_000)]
    assert len(ledger.links("accounts", Side.SWEO, ids)) == 12
    assert len(ledger.digests("accounts", Side.SWEO, ids)) == 12


def test_linked_ids_go_on_behind_a_given_one(ledger: Ledger) -> None:
    writer = Writer(ledger)
    for name in ("001b", "001A", "001a", "001B"):
        writer.open_link("accounts", name, f"c{name}", "r")
    every = list(ledger.linked_ids("accounts", Side.SALESFORCE))
    assert sorted(every) == ["001A", "001B", "001a", "001b"]
    for place, name in enumerate(every):
        assert list(ledger.linked_ids("accounts", Side.SALESFORCE, name)) == every[place + 1 :]


def test_a_definition_of_a_field_has_one_number_for_ever(
    ledger: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    number = ledger.field_number("accounts", "Industry", "industry", "both", KINDS)
    assert number == open_ledger().field_number(
        "accounts", "Industry", "industry", "both", dict(KINDS)
    )
    others = {
        ledger.field_number("contacts", "Industry", "industry", "both", KINDS),
        ledger.field_number("accounts", "Industry__c", "industry", "both", KINDS),
        ledger.field_number("accounts", "Industry", "branch", "both", KINDS),
        ledger.field_number("accounts", "Industry", "industry", "to_sweo", KINDS),
        ledger.field_number(
            "accounts", "Industry", "industry", "both", {**KINDS, Side.SWEO: "options"}
        ),
    }
    assert len(others | {number}) == 6
    assert {row.number for row in ledger.field_rows("accounts")} == (others | {number}) - {
        ledger.field_number("contacts", "Industry", "industry", "both", KINDS)
    }


def test_a_ledger_belongs_to_one_org_and_one_workspace(ledger: Ledger) -> None:
    from crosswalk.errors import FatalError

    ledger.bind(Side.SALESFORCE, "00D1")
    ledger.bind(Side.SALESFORCE, "00D1")
    ledger.bind(Side.SWEO, "w1")
    with pytest.raises(FatalError, match=r"Salesforce org 00D1.*for 00D2.*SWEO_LEDGER_URL"):
        ledger.bind(Side.SALESFORCE, "00D2")
    with pytest.raises(FatalError, match=r"Sweo workspace w1.*for w2"):
        ledger.bind(Side.SWEO, "w2")
    assert (ledger.instance(Side.SALESFORCE), ledger.instance(Side.SWEO)) == ("00D1", "w1")
