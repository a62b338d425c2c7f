from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from crosswalk.ledger import Ledger
from postgres import empty_ledger_url


class StoppedClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger that nobody has made yet, on each of the two databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    return empty_ledger_url()


@pytest.fixture
def open_ledger(ledger_url: str, clock: StoppedClock) -> Iterator[Callable[[], Ledger]]:
    """Opens the ledger once more, as another process would."""
    opened: list[Ledger] = []

    def opening() -> Ledger:
        opened.append(Ledger.open(ledger_url, clock))
        return opened[-1]

    yield opening
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    return open_ledger()
