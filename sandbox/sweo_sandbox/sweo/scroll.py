"""The company scroll: one per workspace, gone after a minute of rest."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo.errors import ApiError

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

IDLE_MS = 60_000


@dataclass
class _OpenScroll:
    param: str
    used_at_ms: int
    last_id: str = ""


class Scroll:
    """The position is the server's: the same parameter gives the next page each time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._open: _OpenScroll | None = None

    def page(self, param: str | None) -> dict[str, Any]:
        """Begin (no parameter) or go on; an empty page ends the scroll.

        Raises:
            ApiError: another scroll is open (400 ``scroll_exists``), or this one is over (404).
        """
        with self._lock:
            now_ms = self._workspace.clock.now_ms()
            if self._open is not None and now_ms - self._open.used_at_ms > IDLE_MS:
                self._open = None
            if param is None:
                if self._open is not None:
                    raise ApiError(400, "scroll_exists", "scroll already exists for this workspace")
                self._open = _OpenScroll(str(uuid.uuid4()), now_ms)
            elif self._open is None or self._open.param != param:
                raise ApiError(404, "not_found", "scroll parameter not found")
            current = self._open
            current.used_at_ms = now_ms
            size = self._workspace.settings.scroll_page_size
            data = self._workspace.companies.scroll_page(current.last_id, size)
            if data:
                current.last_id = data[-1]["id"]
            else:
                self._open = None
        return {
            "type": "list",
            "data": data,
            "pages": None,
            "total_count": None,
            "scroll_param": current.param,
        }

    def close(self) -> None:
        """Forget an open scroll."""
        with self._lock:
            self._open = None
