"""Pages of lists that fit in memory, in the three shapes that the API uses."""

from __future__ import annotations

from typing import Any

from sweo_sandbox.sweo.errors import invalid


def bounded(text: str, name: str, most: int) -> int:
    """A positive number in a query string, at most ``most``.

    Raises:
        ApiError: it is no number, or out of bounds.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= most:
        raise invalid(f"{name} must be between 1 and {most}", field=name)
    return int(text)


def switch(query: dict[str, str], name: str) -> bool:
    """A boolean in a query string; absent counts as false.

    Raises:
        ApiError: it is neither ``true`` nor ``false``.
    """
    text = query.get(name, "false").lower()
    if text not in ("true", "false"):
        raise invalid(f"{name} must be true or false", field=name)
    return text == "true"


def page_numbers(query: dict[str, str], default_per_page: int, most: int) -> tuple[int, int]:
    """``page`` and ``per_page`` of a query string."""
    page = bounded(query.get("page", "1"), "page", 10**6)
    return page, bounded(query.get("per_page", str(default_per_page)), "per_page", most)


def linked_page(
    items: list[dict[str, Any]], query: dict[str, str], base_url: str, path: str
) -> dict[str, Any]:
    """A page whose ``pages.next`` is the address of the next one."""
    page, per_page = page_numbers(query, 50, 150)
    total_pages = -(-len(items) // per_page)
    following = None
    if page < total_pages:
        following = f"{base_url}{path}?page={page + 1}&per_page={per_page}"
    return {
        "type": "list",
        "data": items[(page - 1) * per_page : page * per_page],
        "pages": {
            "type": "pages",
            "next": following,
            "page": page,
            "per_page": per_page,
            "total_pages": total_pages,
        },
        "total_count": len(items),
    }


def cursor_page(
    items: list[dict[str, Any]], query: dict[str, str], default_per_page: int
) -> dict[str, Any]:
    """A page whose ``pages.next`` holds a cursor, the last id shown; ``page`` works as well."""
    page, per_page = page_numbers(query, default_per_page, 150)
    start = (page - 1) * per_page
    after = query.get("starting_after")
    if after is not None:
        start = 1 + next((i for i, item in enumerate(items) if item["id"] == after), -2)
        if start < 0:
            raise invalid("starting_after is not a valid cursor", field="starting_after")
    data = items[start : start + per_page]
    pages: dict[str, Any] = {
        "type": "pages",
        "page": start // per_page + 1,
        "per_page": per_page,
        "total_pages": -(-len(items) // per_page),
    }
    if start + per_page < len(items):
        pages["next"] = {"per_page": per_page, "starting_after": data[-1]["id"]}
    return {"type": "list", "data": data, "total_count": len(items), "pages": pages}
