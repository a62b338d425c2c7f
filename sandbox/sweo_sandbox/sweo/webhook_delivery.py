"""Sends owed notifications: signed, one after the other, with the vendor's one retry.

A try waits five seconds for its answer. Whatever is not 2xx is tried once more a minute later;
410 ends the subscription; 429 holds it back for a minute, doubled up to two hours. Minutes are
those of the workspace's clock, so that a test moves it instead of waiting.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

ANSWER_SECONDS = 5.0
RETRY_MS = 60_000
MOST_TRIES = 2
LONGEST_THROTTLE_MS = 7_200_000
_POLL_SECONDS = 0.05


class Deliverer:
    """One daemon thread, started with the first subscription."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database
        self._thread: threading.Thread | None = None
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._busy = threading.Lock()
        self._throttles_ms: dict[str, int] = {}
        self._held_until_ms: dict[str, int] = {}
        # Tests stand a proxy in the environment for other hosts; endpoints are called directly.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def start(self) -> None:
        """Begin to send, if that has not begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sweo-webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Finish the try that is under way and end the thread."""
        self._stopped.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout=ANSWER_SECONDS + 1)

    def wake(self) -> None:
        """Look for owed notifications now."""
        self._woken.set()

    def forget(self) -> None:
        """Drop what is remembered of endpoints that asked for less."""
        self._throttles_ms.clear()
        self._held_until_ms.clear()

    def settle(self, timeout_seconds: float) -> bool:
        """Wait until nothing is due."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            with self._busy:
                if self._next() is None:
                    return True
            time.sleep(0.005)
        return False

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.wait(_POLL_SECONDS)
            self._woken.clear()
            try:
                while not self._stopped.is_set() and self._send_next():
                    pass
            except sqlite3.ProgrammingError:
                return  # the workspace was closed

    def _send_next(self) -> bool:
        with self._busy:
            row = self._next()
            if row is None:
                return False
            self._send(row)
            return True

    def _next(self) -> sqlite3.Row | None:
        """The oldest notification that is due and whose endpoint is not throttled."""
        now_ms = self._workspace.clock.now_ms()
        held = [key for key, until_ms in self._held_until_ms.items() if until_ms > now_ms]
        marks = ", ".join("?" * len(held))
        return self._database.row(
            "SELECT webhook_delivery.*, url FROM webhook_delivery "  # noqa: S608
            "JOIN webhook ON webhook.id = webhook_id AND active = 1 "
            f"WHERE state = 'owed' AND due_ms <= ? AND webhook_id NOT IN ({marks}) "
            # A notification that is to come late waits for the one behind it, a minute at most.
            "AND (trick IS NOT 'webhook_out_of_order' OR due_ms + 60000 <= ? OR EXISTS "
            "(SELECT 1 FROM webhook_delivery AS later WHERE later.number > webhook_delivery.number "
            "AND later.webhook_id = webhook_delivery.webhook_id AND later.state != 'owed')) "
            "ORDER BY number LIMIT 1",
            [now_ms, *held, now_ms],
        )

    def _send(self, row: sqlite3.Row) -> None:
        now = self._workspace.clock.now_seconds()
        attempts = row["attempts"] + 1
        first_sent_at = row["first_sent_at"] or now
        body = json.dumps(self._envelope(row, attempts, first_sent_at), ensure_ascii=False).encode()
        status = self._post(row["url"], body)
        if row["trick"] == "webhook_doubled" and attempts == 1:
            status = self._post(row["url"], body)
        state, due_ms = "owed", self._workspace.clock.now_ms() + RETRY_MS
        if status is not None and 200 <= status < 300:
            state = "delivered"
            self._throttles_ms.pop(row["webhook_id"], None)
        elif status == 429:
            self._throttle(row["webhook_id"])
            attempts, due_ms = row["attempts"], row["due_ms"]
        elif attempts >= MOST_TRIES or status == 410:
            state = "failed"
        with self._database.transaction():
            self._database.execute(
                "UPDATE webhook_delivery SET state = ?, attempts = ?, first_sent_at = ?, "
                "due_ms = ?, last_status = ? WHERE number = ?",
                [state, attempts, first_sent_at, due_ms, status, row["number"]],
            )
            if status == 410:
                self._database.execute(
                    "UPDATE webhook SET active = 0 WHERE id = ?", [row["webhook_id"]]
                )

    def _throttle(self, webhook_id: str) -> None:
        wait_ms = min(self._throttles_ms.get(webhook_id, 30_000) * 2, LONGEST_THROTTLE_MS)
        self._throttles_ms[webhook_id] = wait_ms
        self._held_until_ms[webhook_id] = self._workspace.clock.now_ms() + wait_ms

    def _envelope(self, row: sqlite3.Row, attempts: int, first_sent_at: int) -> dict[str, Any]:
        return {
            "type": "notification_event",
            "app_id": self._workspace.settings.workspace_id,
            "data": {"type": "notification_event_data", "item": json.loads(row["item"])},
            "links": {},
            "id": row["notification_id"],
            "topic": row["topic"],
            "delivery_status": "pending" if attempts == 1 else "retry",
            "delivery_attempts": attempts,
            "delivered_at": 0,
            "first_sent_at": first_sent_at,
            "created_at": row["created_at"],
            "self": None,
        }

    def _post(self, url: str, body: bytes) -> int | None:
        """The endpoint's status; None when it gave no answer in time."""
        secret = self._workspace.settings.client_secret.encode()
        signature = hmac.new(secret, body, hashlib.sha1).hexdigest()
        request = urllib.request.Request(  # noqa: S310 - http and https only, checked before
            url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "sweo-sandbox-webhooks",
                "X-Hub-Signature": f"sha1={signature}",
                "X-Topic": json.loads(body)["topic"],
            },
        )
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except (OSError, ValueError, http.client.HTTPException):
            return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer that is not 2xx; the notification goes nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""
