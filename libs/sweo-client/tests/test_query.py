from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from crosswalk.errors import FatalError
from sweo_client import ScrollUnavailableError, query
from sweo_client.client import SweoClient

Make = Callable[..., tuple[SweoClient, Any]]
ErrorBody = Callable[..., dict[str, Any]]


def page(*ages: int, after: str | None = None) -> tuple[int, dict[str, Any]]:
    following = {"page": 2, "starting_after": after} if after else None
    rows = [{"id": str(age), "updated_at": age} for age in ages]
    return 200, {"type": "list", "data": rows, "pages": {"type": "pages", "next": following}}


def test_a_search_is_newest_first_and_ends_behind_the_watermark(scripted: Make) -> None:
    client, server = scripted(page(900, 800, after="A"), page(700, 500, after="B"))
    pages = list(query.search_contacts(client, 600))
    assert [[row["updated_at"] for row in p] for p in pages] == [[900, 800], [700, 500]]
    first, second = server.bodies()
    assert first["sort"] == {"field": "updated_at", "order": "descending"}
    assert first["pagination"] == {"per_page": 150}
    assert second["pagination"] == {"per_page": 150, "starting_after": "A"}


def test_an_idle_search_is_one_call(scripted: Make) -> None:
    client, server = scripted(page(500, after="A"))
    list(query.search_contacts(client, 600))
    assert len(server.sent) == 1


def test_a_full_search_goes_to_the_last_page(scripted: Make) -> None:
    client, server = scripted(page(9, after="A"), page(8, after="B"), page())
    assert len(list(query.search_contacts(client, None))) == 2
    assert len(server.sent) == 3


@pytest.mark.parametrize(("version", "slack"), [("2.16", 172_800), ("Preview", 1)])
def test_a_numbered_version_compares_days_and_needs_slack(
    scripted: Make, version: str, slack: int
) -> None:
    client, server = scripted(page(), version=version)
    list(query.search_contacts(client, 1_000_000, role="lead"))
    asked = server.bodies()[0]["query"]
    assert asked["operator"] == "AND"
    assert asked["value"] == [
        {"field": "updated_at", "operator": ">", "value": 1_000_000 - slack},
        {"field": "role", "operator": "=", "value": "lead"},
    ]


def scroll(*ids: str) -> tuple[int, dict[str, Any]]:
    return 200, {"type": "list", "data": [{"id": i} for i in ids], "scroll_param": "s1"}


def test_a_scroll_ends_with_an_empty_page(scripted: Make) -> None:
    client, server = scripted(scroll("a"), scroll("b"), scroll())
    assert [row["id"] for p in query.scroll_companies(client) for row in p] == ["a", "b"]
    assert server.sent[2].url.endswith("scroll_param=s1")


def test_a_taken_scroll_is_told_apart(scripted: Make, error_body: ErrorBody) -> None:
    client, server = scripted((400, error_body("scroll_exists")))
    with pytest.raises(ScrollUnavailableError, match="Another program"):
        list(query.scroll_companies(client))
    assert len(server.sent) == 1


def test_a_lost_page_of_a_scroll_is_not_asked_for_again(
    scripted: Make, lost_answer: Exception
) -> None:
    client, server = scripted(scroll("a"), lost_answer, scroll("c"))
    with pytest.raises(ScrollUnavailableError):
        list(query.scroll_companies(client))
    assert len(server.sent) == 2


def test_a_lookup_tells_what_became_of_a_record(scripted: Make, error_body: ErrorBody) -> None:
    link = {"Link": '<https://api.example.com/contacts/66aa>; rel="canonical"'}
    client, _ = scripted(
        (200, {"id": "1", "updated_at": 5}),
        (404, error_body("not_found")),
        (410, error_body("contact_merged"), link),
        (422, error_body("unprocessable")),
    )
    found = [query.record_by_id(client, "contact", str(n)) for n in range(4)]
    assert [f.record is not None for f in found] == [True, False, False, False]
    assert [f.merged_into for f in found] == [None, None, "66aa", None]
    assert [f.refused for f in found] == [None, None, None, "unprocessable"]


def test_a_reading_is_not_older_than_the_record_it_shows(scripted: Make) -> None:
    future = 1795341605 + 1
    client, _ = scripted((200, {"id": "1", "updated_at": future}))
    assert query.record_by_id(client, "contact", "1").read_at == future


def test_a_company_is_taken_bare_or_out_of_a_list(scripted: Make) -> None:
    client, _ = scripted(
        (200, {"type": "company", "id": "1"}),
        (200, {"type": "list", "data": [{"id": "2"}]}),
        (200, {"type": "list", "data": []}),
    )
    records = [query.company_by_company_id(client, "k").record for _ in range(3)]
    assert [r and r["id"] for r in records] == ["1", "2", None]


def test_many_lookups_keep_their_order_and_take_ids_as_they_go(scripted: Make) -> None:
    client, _ = scripted(*[(200, {"id": "x"})] * 20)
    taken = []

    def ids() -> Any:
        for n in range(1_000_000):
            taken.append(n)
            yield str(n)

    lookups = query.records_by_id(client, "company", ids(), concurrency=2)
    assert [next(lookups)[0] for _ in range(5)] == ["0", "1", "2", "3", "4"]
    lookups.close()  # type: ignore[attr-defined]
    assert len(taken) < 20


def test_events_stay_on_the_workspaces_host(scripted: Make) -> None:
    following = "https://elsewhere.example.com/events?type=user&page=2"
    client, server = scripted(
        (200, {"events": [{"event_name": "a"}], "pages": {"next": following}}),
        (200, {"events": [], "pages": {}}),
    )
    assert len(list(query.events_of(client, "c1"))) == 1
    assert server.sent[1].url == "https://api.example.com/events?type=user&page=2"


def test_a_refused_search_is_told_by_its_code(scripted: Make, error_body: ErrorBody) -> None:
    client, _ = scripted((400, error_body("invalid_field")))
    with pytest.raises(FatalError, match="invalid_field"):
        list(query.search_contacts(client, None))
