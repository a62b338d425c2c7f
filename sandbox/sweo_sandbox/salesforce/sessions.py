"""Access and refresh tokens of one org, kept in its store."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .org import Org

_META = "refresh_token"


class Sessions:
    """Who is logged in. Sessions end by the org's clock, or on demand."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._store = org.store

    @property
    def refresh_token(self) -> str:
        """The one refresh token that is good now."""
        return self._store.meta(_META) or self._org.settings.refresh_token

    def rotate_refresh_token(self) -> str:
        """Put another token in the place of the present one."""
        token = f"5Aep{secrets.token_urlsafe(48)}"
        self._store.set_meta(_META, token)
        return token

    def open(self, user_id: str, *, refreshed: bool = False) -> str:
        """A new access token for a user; ``refreshed`` if the refresh token asked for it."""
        token = f"{self._org.organization_id[:15]}!{secrets.token_urlsafe(48)}"
        lifetime_ms = self._org.settings.session_seconds * 1000
        self.remember(token, user_id, self._org.clock.now_ms() + lifetime_ms)
        if refreshed:
            with self._store.transaction():
                self._store.writer.execute("INSERT INTO _refreshed VALUES (?)", (token,))
        return token

    def remember(self, token: str, user_id: str, expires_ms: int | None) -> None:
        """Keep a session; one without an end ends on demand only."""
        with self._store.transaction():
            self._store.writer.execute(
                "INSERT OR REPLACE INTO _session VALUES (?, ?, ?)", (token, user_id, expires_ms)
            )

    def user_of(self, token: str) -> str | None:
        """Whose session it is, or None if there is none any more."""
        with self._store.lock:
            found = self._store.writer.execute(
                "SELECT user_id, expires_ms FROM _session WHERE token = ?", (token,)
            ).fetchone()
        if found is None or (found[1] is not None and found[1] <= self._org.clock.now_ms()):
            return None
        return str(found[0])

    def end(self, token: str) -> bool:
        """End one session; whether there was one."""
        with self._store.transaction():
            ended = self._store.writer.execute("DELETE FROM _session WHERE token = ?", (token,))
            return ended.rowcount > 0

    def end_all(self) -> None:
        """End every session, the ready one too: the next call of each client gets a 401."""
        with self._store.transaction():
            self._store.writer.execute("DELETE FROM _session")

    def revoke_refresh_token(self) -> None:
        """Make the refresh token bad, and end the sessions that it opened."""
        with self._store.transaction():
            self.rotate_refresh_token()
            self._store.writer.execute(
                "DELETE FROM _session WHERE token IN (SELECT token FROM _refreshed)"
            )
