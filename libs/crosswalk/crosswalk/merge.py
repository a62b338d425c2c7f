"""What happens to one field of one pair. Pure: values in, a decision out.

The names are the same throughout: a record came from side X with the value ``v``; side Y is
written to and, where the rule needs it, was freshly read as ``y``; the *base* is what the two
agreed on last, as each side holds it.

| the field flows | and                             | then                                   |
|-----------------|---------------------------------|----------------------------------------|
| X to Y only     | v is the base on X              | nothing                                |
| X to Y only     | v changed                       | write v, empty or not                  |
| X to Y only     | no base (first meeting)         | write v unless empty or already there  |
| both ways       | v is the base on X              | nothing: X did not change it           |
| both ways       | X changed, y is the base on Y   | write v                                |
| both ways       | X changed, y agrees with v      | remember the agreement                 |
| both ways       | both changed, and differ        | a conflict, decided by the policy      |
| both ways       | no base (first meeting)         | the named side wins unless it is empty |
| X to Y, enforced| y is not what was written       | write v, empty or not                  |
| where empty     | v is the base on X              | nothing                                |
| where empty     | y is empty                      | write v                                |
| where empty     | v is empty, no base             | Y's value goes to X, by the other run  |
| where empty     | both have a value               | nothing, whatever they are             |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from crosswalk.mapping import Policy, Side
from crosswalk.values import Canonical


class Absent(Enum):
    """The type of ``ABSENT``."""

    TOKEN = "absent"  # noqa: S105 - no password


ABSENT: Final = Absent.TOKEN
"""Unknown: not read, never agreed on. Not the same as ``None``, which means empty."""

Known = Canonical | Absent
Agree = Callable[[Canonical, Canonical], bool]
"""Whether a value of X and a value of Y say the same (see ``crosswalk.values.agree``)."""


class Action(Enum):
    """What the exchange does with the field."""

    NOTHING = "nothing"
    WRITE = "write"
    AGREED = "agreed"
    """Both sides say the same already; the base is set to it."""
    SETTLED = "settled"
    """X's value is remembered as the base although Y's was not compared (one-way, empty)."""
    YIELD = "yield"
    """Y's value stands; the other pipeline carries it to X."""
    HOLD = "hold"
    """Nobody's value moves until a person decides."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``conflict`` says that both sides had a say, so that the loser must be kept.

    ``replaces`` says that the write ends a value of Y that this pair never agreed on.
    """

    action: Action
    conflict: bool = False
    replaces: bool = False


_NOTHING: Final = Decision(Action.NOTHING)
_AGREED: Final = Decision(Action.AGREED)


def is_empty(value: Known) -> bool:
    """Whether a value is the canonical empty (``False`` and ``0`` are not)."""
    return value is None


def one_way(v: Canonical, base_x: Known, y: Known, agree: Agree) -> Decision:
    """Decide a field that flows from X to Y only.

    ``y`` is needed at first meeting only (``base_x`` absent) and may be absent otherwise.
    """
    if base_x is not ABSENT:
        return _NOTHING if v == base_x else Decision(Action.WRITE)
    if is_empty(v):
        return Decision(Action.SETTLED)
    if y is not ABSENT and agree(v, y):
        return _AGREED
    return Decision(Action.WRITE, replaces=y is not ABSENT and not is_empty(y))


def put_back(v: Canonical, y: Known, agree: Agree) -> Decision:
    """Decide a field that flows from X to Y only and that somebody changed on Y (``enforce``).

    ``y`` must be a fresh reading: it may have been put right meanwhile.
    """
    if y is ABSENT:
        return _NOTHING
    if agree(v, y):
        return _AGREED
    return Decision(Action.WRITE, replaces=not is_empty(y))


def where_empty(v: Canonical, base_x: Known, y: Known) -> Decision:
    """Decide a field that either side is given only where it has no value of its own.

    Asked where ``v`` is not what is remembered of X; ``y`` must be a fresh reading.
    """
    if y is ABSENT:
        return _NOTHING
    if is_empty(v):
        return Decision(Action.YIELD if base_x is ABSENT and not is_empty(y) else Action.SETTLED)
    return Decision(Action.WRITE if is_empty(y) else Action.SETTLED)


@dataclass(frozen=True, slots=True)
class TwoWay:
    """One field that flows both ways, as the exchange sees it at one moment.

    ``contested`` says that a write of this field has an unknown outcome and that Y holds
    neither the old value nor the one that was being written: both sides count as changed.
    ``decided`` is a verdict that stands for exactly these two values.
    ``newest`` is the side that was modified last, for the policy of that name; None where the
    policy is another. ``x`` says which side X is.
    """

    x: Side
    v: Canonical
    y: Known
    base_x: Known
    base_y: Known
    policy: Policy
    first_meeting: Side = Side.SALESFORCE
    newest: Side | None = None
    decided: Side | None = None
    contested: bool = False

    @property
    def x_changed(self) -> bool:
        """Whether X moved away from what was agreed."""
        return self.contested or self.base_x is ABSENT or self.v != self.base_x


def two_way(field: TwoWay, agree: Agree) -> Decision:
    """Decide a field that flows both ways.

    ``field.y`` must be a fresh reading wherever ``field.x_changed``; an absent one (the API hides
    the field) leaves everything as it is.
    """
    if not field.x_changed:
        return _NOTHING
    if field.y is ABSENT:
        return _NOTHING
    if agree(field.v, field.y):
        return _AGREED
    if field.base_x is ABSENT and not field.contested:
        return _first_meeting(field)
    if not field.contested and field.y == field.base_y:
        return Decision(Action.WRITE)
    return _conflict(field)


def _first_meeting(field: TwoWay) -> Decision:
    if is_empty(field.v):
        return Decision(Action.YIELD)
    if is_empty(field.y):
        return Decision(Action.WRITE)
    if field.first_meeting is field.x:
        return Decision(Action.WRITE, replaces=True)
    return Decision(Action.YIELD, conflict=False)


def _conflict(field: TwoWay) -> Decision:
    winner = winning_side(field)
    if winner is None:
        return Decision(Action.HOLD, conflict=True)
    if winner is field.x:
        return Decision(Action.WRITE, conflict=True)
    return Decision(Action.YIELD, conflict=True)


def winning_side(field: TwoWay) -> Side | None:
    """Whose value a conflict keeps, or None where a person has to say."""
    if field.decided is not None:
        return field.decided
    if field.policy is Policy.ASK:
        return None
    if field.policy is Policy.NEWEST:
        return field.newest or Side.SALESFORCE
    return Side(field.policy.value)


NEWEST_MARGIN_SECONDS: Final = 2.0
"""Two times that are nearer than this say nothing about who was later."""


def newest_side(salesforce_at: float, sweo_at: float) -> Side:
    """Who was modified last; both times in seconds by one clock. Salesforce wins a near tie."""
    return Side.SWEO if sweo_at - salesforce_at > NEWEST_MARGIN_SECONDS else Side.SALESFORCE
