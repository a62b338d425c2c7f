"""The daily budget, the span of a delete log, and what may reach stdout."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import salesforce_client.connection  # noqa: F401 - sets the hooks
import stamina.instrumentation
from crosswalk.errors import RetryLaterError
from salesforce_client.budget import DailyBudget
from salesforce_client.deleted import deleted_request
from salesforce_client.settings import connection_from
from salesforce_client.times import parse_time
from salesforce_client.transport import ApiUsage

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=timezone.utc)
READY = {"access_token": "x", "instance_url": "https://acme.my.salesforce.com"}


def test_a_named_limit_counts_earlier_runs_and_this_one() -> None:
    budget = DailyBudget(lambda: 7, limit_calls=10)
    budget.check(2, None)
    with pytest.raises(RetryLaterError, match="Our runs have made 10 Salesforce calls"):
        budget.check(3, ApiUsage(500, 100_000))


def test_without_a_limit_a_fifth_of_the_allotment_is_taken_once_it_is_known() -> None:
    budget = DailyBudget(lambda: 19_998)
    budget.check(5, None)
    budget.check(1, ApiUsage(0, 100_000))
    with pytest.raises(RetryLaterError):
        budget.check(2, ApiUsage(0, 100_000))


def test_earlier_calls_are_asked_for_once() -> None:
    asked: list[int] = []
    budget = DailyBudget(lambda: asked.append(1) or 0, limit_calls=5)
    budget.check(0, None)
    budget.check(1, None)
    assert asked == [1]


@pytest.mark.parametrize(
    ("setting", "limit"),
    [({}, None), ({"daily_api_calls": None}, None), ({"daily_api_calls": 5}, 5)],
)
def test_the_setting_makes_the_budget(setting: dict[str, int | None], limit: int | None) -> None:
    budget = connection_from({**READY, **setting}).budget
    assert budget is not None
    assert budget.limit_calls == limit


def test_zero_is_no_limit() -> None:
    assert connection_from({**READY, "daily_api_calls": 0}).budget is None


@pytest.mark.parametrize(
    ("back", "asked"),
    [
        (timedelta(0), timedelta(minutes=2)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(days=90), timedelta(days=14, hours=23)),
    ],
)
def test_a_delete_log_is_asked_for_as_the_api_takes_it(back: timedelta, asked: timedelta) -> None:
    request = deleted_request("Account", NOW - back, NOW)
    parts = urlsplit(request.path)
    assert parts.path == "sobjects/Account/deleted/"
    span = {name: parse_time(values[0]) for name, values in parse_qs(parts.query).items()}
    assert span == {"start": NOW - asked, "end": NOW}


def test_retries_are_told_to_the_log_not_to_stdout() -> None:
    (hook,) = stamina.instrumentation.get_on_retry_hooks()
    assert hook.__module__ == "stamina.instrumentation._logging"
