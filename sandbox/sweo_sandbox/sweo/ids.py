"""Record ids: 24 hex digits, the first eight the second of creation."""

from __future__ import annotations

import secrets


def new_id(now_seconds: int) -> str:
    """A fresh id; ids sort by the time at which they were made."""
    return f"{now_seconds & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"
