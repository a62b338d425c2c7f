"""The merge, row by row, against the rules as a person would say them."""

from __future__ import annotations

import itertools

import pytest
from crosswalk.mapping import Policy, Side
from crosswalk.merge import (
    ABSENT,
    Action,
    Known,
    TwoWay,
    newest_side,
    one_way,
    put_back,
    two_way,
    winning_side,
)
from crosswalk.values import Canonical

VALUES: tuple[Canonical, ...] = (None, "a", "b", "c")
KNOWN: tuple[Known, ...] = (ABSENT, *VALUES)
POLICIES = (Policy.SALESFORCE, Policy.SWEO, Policy.NEWEST, Policy.ASK)


def same(v: Canonical, y: Canonical) -> bool:
    return v == y


def said(
    x: Side, v: Canonical, y: Known, base: Known, policy: Policy, first: Side, newest: Side
) -> str:
    """The rule in words: keep | carry v | agree | let y flow back | ask."""
    y_wins_back, v_goes = "yield", "write"
    if base is not ABSENT and v == base:
        return "nothing"
    if y is ABSENT:
        return "nothing"
    if v == y:
        return "agreed"
    if base is ABSENT:
        if v is None:
            return y_wins_back
        if y is None:
            return v_goes
        return v_goes if first is x else y_wins_back
    if y == base:
        return v_goes
    if policy is Policy.ASK:
        return "hold"
    wins = newest if policy is Policy.NEWEST else Side(policy.value)
    return v_goes if wins is x else y_wins_back


@pytest.mark.parametrize("x", list(Side))
@pytest.mark.parametrize("policy", POLICIES)
def test_two_way_truth_table(x: Side, policy: Policy) -> None:
    rows = 0
    for v, y, base, first, newest in itertools.product(VALUES, KNOWN, KNOWN, Side, Side):
        decision = two_way(
            TwoWay(x, v, y, base, base, policy, first_meeting=first, newest=newest), same
        )
        assert decision.action.value == said(x, v, y, base, policy, first, newest)
        both_had_a_say = base is not ABSENT and v != base and y is not ABSENT and y not in (base, v)
        assert decision.conflict == both_had_a_say
        rows += 1
    assert rows == 4 * 5 * 5 * 2 * 2


def test_what_is_put_back_truth_table() -> None:
    for v, y in itertools.product(VALUES, KNOWN):
        decision = put_back(v, y, same)
        changed = Action.AGREED if v == y else Action.WRITE
        said = Action.NOTHING if y is ABSENT else changed
        assert decision.action is said, (v, y)
        assert decision.replaces == (said is Action.WRITE and y is not None)


def test_one_way_truth_table() -> None:
    for v, y, base in itertools.product(VALUES, KNOWN, KNOWN):
        action = one_way(v, base, y, same).action
        if base is not ABSENT:
            assert action is (Action.NOTHING if v == base else Action.WRITE)
        elif v is None:
            assert action is Action.SETTLED
        elif v == y:
            assert action is Action.AGREED
        else:
            assert action is Action.WRITE


def test_an_empty_value_travels_except_at_first_meeting() -> None:
    assert one_way(None, "a", ABSENT, same).action is Action.WRITE
    assert one_way(None, ABSENT, "a", same).action is Action.SETTLED
    erased = TwoWay(Side.SWEO, None, "a", "a", "a", Policy.SALESFORCE)
    assert two_way(erased, same).action is Action.WRITE


def test_both_pipelines_reach_one_verdict_on_one_conflict() -> None:
    for policy, newest in itertools.product(POLICIES, Side):
        from_salesforce = two_way(
            TwoWay(Side.SALESFORCE, "s", "w", "b", "b", policy, newest=newest), same
        )
        from_sweo = two_way(TwoWay(Side.SWEO, "w", "s", "b", "b", policy, newest=newest), same)
        if policy is Policy.ASK:
            assert from_salesforce.action is from_sweo.action is Action.HOLD
        else:
            assert {from_salesforce.action, from_sweo.action} == {Action.WRITE, Action.YIELD}


def test_a_contested_field_counts_as_changed_on_both_sides() -> None:
    field = TwoWay(Side.SWEO, "b", "c", "b", "x", Policy.SALESFORCE, contested=True)
    decision = two_way(field, same)
    assert decision.action is Action.YIELD
    assert decision.conflict


def test_a_standing_verdict_is_obeyed() -> None:
    field = TwoWay(Side.SWEO, "w", "s", "b", "b", Policy.ASK, decided=Side.SWEO)
    assert winning_side(field) is Side.SWEO
    assert two_way(field, same).action is Action.WRITE


@pytest.mark.parametrize(
    ("salesforce_at", "sweo_at", "winner"),
    [(10.0, 20.0, Side.SWEO), (20.0, 10.0, Side.SALESFORCE), (10.0, 12.0, Side.SALESFORCE)],
)
def test_newest_needs_more_than_two_seconds(
    salesforce_at: float, sweo_at: float, winner: Side
) -> None:
    assert newest_side(salesforce_at, sweo_at) is winner
