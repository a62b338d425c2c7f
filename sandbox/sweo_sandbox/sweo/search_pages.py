"""Pages and order of a search: size, cursor, sort."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from sweo_sandbox.sweo.errors import ApiError, invalid

MAX_PER_PAGE = 150


@dataclass
class Paging:
    """Which page of a search; ``after`` is the last row's sort value and id."""

    per_page: int
    page: int = 1
    after: tuple[Any, str] | None = None


def parse_paging(pagination: Any, default_per_page: int) -> Paging:
    """Read a ``pagination`` object.

    Raises:
        ApiError: the page size is outside 1 to 150, or the cursor is none of ours.
    """
    if pagination is None:
        pagination = {}
    if not isinstance(pagination, dict):
        raise invalid("pagination must be an object")
    per_page = pagination.get("per_page", default_per_page)
    if isinstance(per_page, str) and per_page.isdigit():
        per_page = int(per_page)
    if isinstance(per_page, bool) or not isinstance(per_page, int):
        raise invalid("per_page must be an integer")
    if not 1 <= per_page <= MAX_PER_PAGE:
        raise invalid(f"per_page must be between 1 and {MAX_PER_PAGE}")
    cursor = pagination.get("starting_after")
    if cursor is None:
        return Paging(per_page)
    try:
        page, value, record_id = json.loads(base64.b64decode(cursor, validate=True))
        return Paging(per_page, int(page), (value, str(record_id)))
    except (ValueError, TypeError, binascii.Error):
        raise invalid("starting_after is not a valid cursor") from None


def cursor(page: int, value: Any, record_id: str) -> str:
    """The opaque ``starting_after`` of the page that follows."""
    return base64.b64encode(json.dumps([page, value, record_id]).encode()).decode()


def parse_order(sort: Any) -> tuple[str | None, bool]:
    """A ``sort`` object's field, and whether it descends.

    Raises:
        ApiError: 400 ``invalid_sort_order``.
    """
    if sort is None:
        return None, True
    if not isinstance(sort, dict) or not isinstance(sort.get("field"), str):
        raise invalid("sort must be an object with a field")
    order = sort.get("order", "descending")
    if order not in ("ascending", "descending"):
        raise ApiError(
            400,
            "invalid_sort_order",
            f"Invalid sort order '{order}'. Must be one of: ascending, descending",
        )
    return sort["field"], order == "descending"
