"""Checks of standard attributes in write bodies."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from sweo_sandbox.sweo.attributes import MAX_TEXT_LENGTH, is_whole
from sweo_sandbox.sweo.errors import bad_request, invalid

Check = Callable[[str, Any], Any]
MAX_MONTHLY_SPEND = 2**31 - 1


def text(name: str, value: Any) -> str | None:
    """A string of at most 255 characters, or null."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string", field=name)
    if len(value) > MAX_TEXT_LENGTH:
        raise invalid(f"{name} is too long (maximum is {MAX_TEXT_LENGTH} characters)", field=name)
    return value


def identifier(name: str, value: Any) -> str | None:
    """A key set by the client; numbers are taken as their digits, blanks are no key."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    checked = text(name, value)
    if checked is not None and not checked.strip():
        raise invalid(f"{name} cannot be blank", field=name)
    return checked


def email(name: str, value: Any) -> str | None:
    """An address with one @ and no blanks, or null."""
    checked = text(name, value)
    if checked is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", checked):
        raise invalid("Email is invalid", field=name)
    return checked


def whole(name: str, value: Any) -> int | None:
    """An integer, or null."""
    if value is None:
        return None
    if not is_whole(value):
        raise invalid(f"{name} must be an integer", field=name)
    return int(value)


def timestamp(name: str, value: Any) -> int | None:
    """Unix seconds, or null."""
    checked = whole(name, value)
    if checked is not None and not 0 <= checked < 2**33:
        raise invalid(f"{name} must be a unix timestamp in seconds", field=name)
    return checked


def spend(name: str, value: Any) -> int | None:
    """Monthly spend: fractions are cut off, 2**31-1 is the most."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise invalid(f"{name} must be a number", field=name)
    if abs(value) > MAX_MONTHLY_SPEND:
        raise invalid(f"{name} must be at most {MAX_MONTHLY_SPEND}", field=name)
    return int(value)


def flag(name: str, value: Any) -> int:
    """A boolean; null counts as false."""
    if value is not None and not isinstance(value, bool):
        raise invalid(f"{name} must be a boolean", field=name)
    return int(bool(value))


def checked_columns(body: dict[str, Any], checks: dict[str, Check]) -> dict[str, Any]:
    """The checked values of those standard attributes that the body carries."""
    return {name: check(name, body[name]) for name, check in checks.items() if name in body}


def refuse_unknown(body: dict[str, Any], known: frozenset[str]) -> None:
    """Refuse a body with a key that the endpoint does not know."""
    for name in body:
        if name not in known:
            raise bad_request(f"bad '{name}' parameter")
