"""Slips of the pen, told from new names."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from sweo_client.slips import edits, slip_of


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("industri", "industry"),
        ("Industry", "industry"),
        ("monthly_spent", "monthly_spend"),
        ("nps", None),
        ("plans", "plan"),
        ("health_score", None),
    ],
)
def test_a_slip_is_told_from_another_name(name: str, near: str | None) -> None:
    assert slip_of(name, ["industry", "monthly_spend", "os", "plan", "size"]) == near


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_edits_are_counted_the_same_both_ways(one: str, other: str) -> None:
    there = edits(one, other, 6)
    assert there == edits(other, one, 6)
    assert (there == 0) == (one == other)
    assert abs(len(one) - len(other)) <= there <= max(len(one), len(other))
