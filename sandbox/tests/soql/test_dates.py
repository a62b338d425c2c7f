from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from sweo_sandbox.soql import dates

NOW_MS = 1_772_539_445_500  # 2026-03-03T12:04:05.5Z, a Tuesday


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.123456Z", 123),
        ("1970-01-01T00:00:01.5+00:00", 1500),
        ("1970-01-01T05:30:00+05:30", 0),
        ("1969-12-31T16:00:00-0800", 0),
        ("1969-12-31T23:59:59z", -1000),
    ],
)
def test_datetimes(text: str, ms: int) -> None:
    assert dates.datetime_ms(text) == ms


@pytest.mark.parametrize("text", ["2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01"])
def test_no_such_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|time|month|datetime"):
        dates.datetime_ms(text)


@pytest.mark.parametrize(
    ("name", "count", "first", "after_last"),
    [
        ("TODAY", None, "2026-03-03", "2026-03-04"),
        ("YESTERDAY", None, "2026-03-02", "2026-03-03"),
        ("TOMORROW", None, "2026-03-04", "2026-03-05"),
        ("THIS_WEEK", None, "2026-03-01", "2026-03-08"),
        ("LAST_WEEK", None, "2026-02-22", "2026-03-01"),
        ("NEXT_MONTH", None, "2026-04-01", "2026-05-01"),
        ("LAST_QUARTER", None, "2025-10-01", "2026-01-01"),
        ("THIS_FISCAL_YEAR", None, "2026-01-01", "2027-01-01"),
        ("LAST_90_DAYS", None, "2025-12-03", "2026-03-04"),
        ("NEXT_90_DAYS", None, "2026-03-04", "2026-06-02"),
        ("LAST_N_DAYS", 2, "2026-03-01", "2026-03-04"),
        ("NEXT_N_DAYS", 2, "2026-03-04", "2026-03-06"),
        ("N_DAYS_AGO", 2, "2026-03-01", "2026-03-02"),
        ("LAST_N_MONTHS", 3, "2025-12-01", "2026-03-01"),
        ("NEXT_N_WEEKS", 1, "2026-03-08", "2026-03-15"),
        ("N_YEARS_AGO", 1, "2025-01-01", "2026-01-01"),
        ("LAST_N_FISCAL_QUARTERS", 1, "2025-10-01", "2026-01-01"),
    ],
)
def test_ranges(name: str, count: int | None, first: str, after_last: str) -> None:
    named = dates.named_range(name, count, NOW_MS)
    assert (named.start_date, named.end_date) == (first, after_last)


def test_last_days_end_now() -> None:
    assert dates.named_range("LAST_N_DAYS", 1, NOW_MS).end_ms == NOW_MS - 500 + 1000


@given(
    st.sampled_from(sorted(dates.RANGES | dates.COUNTED_RANGES)),
    st.integers(1, 3000),
    st.integers(0, 4_000_000_000_000),
)
def test_ranges_are_never_empty(name: str, count: int, now_ms: int) -> None:
    counted = count if name in dates.COUNTED_RANGES else None
    try:
        named = dates.named_range(name, counted, now_ms)
    except (ValueError, OverflowError):
        return
    assert named.start_ms < named.end_ms
    assert named.start_ms % dates.DAY_MS == 0
