from __future__ import annotations

from email.utils import formatdate

from hypothesis import given, strategies as st
from sweo_client.clock import ServerClock, iso, unix


@given(
    skew=st.floats(-10_000, 10_000),
    exchanges=st.lists(
        st.tuples(st.floats(0, 5), st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=20
    ),
)
def test_the_estimate_is_never_ahead_and_at_most_a_round_trip_and_a_second_behind(
    skew: float, exchanges: list[tuple[float, float, float]]
) -> None:
    local = 1_800_000_000.0
    clock = ServerClock(lambda: local)
    for pause, out, back in exchanges:
        started = local + pause
        answered, local = started + out, started + out + back
        told = clock.observe(formatdate(int(answered + skew), usegmt=True), started, local)
        assert told == int(answered + skew)
        assert clock.at(started) <= started + skew + 1e-6
        assert clock.at(started) >= started + skew - out - back - 2
        assert abs(clock.skew_seconds - skew) <= (1 + out + back) / 2 + 1e-6


def test_the_estimate_grows_finer_with_every_answer() -> None:
    clock = ServerClock(lambda: 0.0)
    for tenth in range(30):
        started = 1_000.03 + tenth / 10
        clock.observe(formatdate(int(started + 0.5), usegmt=True), started, started + 0.01)
    assert clock.at(2_000.9) == 2_001
    assert abs(clock.skew_seconds - 0.5) < 0.1


def test_a_clock_that_was_set_is_followed() -> None:
    clock = ServerClock(lambda: 0.0)
    clock.observe(formatdate(1_000, usegmt=True), 1_000.0, 1_000.1)
    assert clock.at(1_001) == 1_000
    clock.observe(formatdate(5_000, usegmt=True), 1_002.0, 1_002.0)
    assert clock.at(1_002) == 5_000
    clock.observe(formatdate(2_000, usegmt=True), 1_003.0, 1_003.0)
    assert clock.at(1_003) == 2_000


def test_nonsense_in_a_date_header_is_ignored() -> None:
    clock = ServerClock(lambda: 7.0)
    assert clock.observe("yesterday", 1.0, 2.0) is None
    assert clock.observe(None, 1.0, 2.0) is None
    assert clock.now() == 7


@given(st.integers(0, 4_000_000_000))
def test_times_come_back_as_they_went(seconds: int) -> None:
    assert unix(iso(seconds)) == seconds
