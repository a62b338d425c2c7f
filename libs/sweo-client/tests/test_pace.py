from __future__ import annotations

from dataclasses import dataclass, field

from sweo_client.clock import ServerClock
from sweo_client.pace import Pace


@dataclass
class Time:
    """A day that passes only by sleeping."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self) -> Pace:
        return Pace(ServerClock(lambda: self.now), self.sleep, lambda: self.now)


def headers(limit: int, left: int, reset: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(reset),
    }


def test_nothing_waits_while_there_is_plenty() -> None:
    time = Time()
    pace = time.pace()
    for left in range(100, 50, -1):
        pace.wait()
        pace.observe(headers(100, left, time.now + 10))
    assert not time.slept


def test_a_low_window_is_spread_over_its_rest() -> None:
    time = Time()
    pace = time.pace()
    pace.observe(headers(100, 5, 1_010))
    for _ in range(5):
        pace.wait()
    assert 8 <= time.now - 1_000 <= 10


def test_an_empty_window_is_sat_out_once() -> None:
    time = Time()
    pace = time.pace()
    pace.observe(headers(100, 0, 1_007))
    pace.wait()
    assert time.now == 1_007
    pace.wait()
    assert time.slept == [7]


def test_a_429_stops_everybody_until_the_reset() -> None:
    time = Time()
    pace = time.pace()
    pace.refused(headers(100, 0, 1_004))
    pace.wait()
    assert time.slept == [4]


def test_a_429_without_a_time_takes_one_window() -> None:
    time = Time()
    pace = time.pace()
    pace.refused({})
    pace.wait()
    assert time.slept == [10]


def test_a_reset_far_away_is_not_believed() -> None:
    time = Time()
    pace = time.pace()
    pace.refused(headers(1, 0, 1_000_000_000))
    pace.wait()
    assert time.slept == [60]


def test_answers_that_overtake_each_other_do_not_raise_what_is_left() -> None:
    time = Time()
    pace = time.pace()
    pace.observe(headers(100, 0, 1_010))
    pace.observe(headers(100, 90, 1_010))
    pace.wait()
    assert time.slept == [10]
