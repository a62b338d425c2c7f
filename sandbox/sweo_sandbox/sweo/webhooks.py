"""Webhook subscriptions and the notifications owed to them.

A notification is written in the transaction of the change that it tells of, so a killed sandbox
owes it still. :mod:`~sweo_sandbox.sweo.webhook_delivery` sends what is owed.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo.webhook_delivery import Deliverer

if TYPE_CHECKING:
    from sweo_sandbox.faults import FaultDesk
    from sweo_sandbox.sweo.workspace import Workspace

TOPICS = frozenset(
    {
        "company.created",
        "company.updated",
        "company.deleted",
        "company.contact.attached",
        "company.contact.detached",
        "contact.user.created",
        "contact.user.updated",
        "contact.user.tag.created",
        "contact.user.tag.deleted",
        "contact.lead.created",
        "contact.lead.updated",
        "contact.lead.signed_up",
        "contact.lead.added_email",
        "contact.lead.tag.created",
        "contact.lead.tag.deleted",
        "contact.email.updated",
        "contact.merged",
        "contact.archived",
        "contact.unarchive",
        "contact.deleted",
        "event.created",
        "ping",
    }
)


class Webhooks:
    """Who wants to hear of what, and what was sent."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database
        self.faults: FaultDesk | None = None
        self._wanted: frozenset[str] | None = None
        self._deliverer = Deliverer(workspace)
        if self._wants():
            self._deliverer.start()

    def subscribe(self, url: str, topics: list[str] | None = None) -> str:
        """Send notifications of these topics (None: all) to an address; returns an id.

        Raises:
            ValueError: a topic is not known, or the address is none.
        """
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise ValueError("url must begin with http:// or https://")
        wanted = sorted(TOPICS) if topics is None else topics
        if not isinstance(wanted, list) or not wanted:
            raise ValueError("topics is a list with one topic at least")
        unknown = [topic for topic in wanted if topic not in TOPICS]
        if unknown:
            raise ValueError(f"unknown topics: {', '.join(map(str, unknown))}")
        subscription_id = f"nsub_{uuid.uuid4()}"
        with self._database.transaction():
            self._database.insert(
                "webhook",
                {
                    "id": subscription_id,
                    "url": url,
                    "topics": json.dumps(wanted),
                    "created_at": self._workspace.clock.now_seconds(),
                },
            )
        self._wanted = None
        self._deliverer.start()
        return subscription_id

    def unsubscribe(self, subscription_id: str | None = None) -> int:
        """End one subscription, or all; what was owed to it is dropped. Returns how many ended."""
        where, bound = ("1", []) if subscription_id is None else ("id = ?", [subscription_id])
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM webhook_delivery WHERE state = 'owed' AND webhook_id IN "  # noqa: S608
                f"(SELECT id FROM webhook WHERE {where})",
                bound,
            )
            gone = self._database.execute(f"DELETE FROM webhook WHERE {where}", bound)  # noqa: S608
        self._wanted = None
        return gone.rowcount

    def ping(self) -> int:
        """Owe a ``ping`` to every active subscription, whatever its topics; returns how many."""
        item = {"type": "ping", "message": "A test notification"}
        with self._database.transaction():
            return self._owe("ping", item, self._active())

    def notify(self, topic: str, item: dict[str, Any]) -> None:
        """Owe a notification to all who want the topic; call it inside the write's transaction."""
        if topic in self._wants():
            hooks = [row for row in self._active() if topic in json.loads(row["topics"])]
            self._owe(topic, item, hooks)

    def wants(self, topic: str) -> bool:
        """Whether anybody listens, so that an item is built only then."""
        return topic in self._wants()

    def subscriptions(self) -> list[dict[str, Any]]:
        """Every subscription; ``disabled`` once an endpoint has answered 410."""
        return [
            {
                "id": row["id"],
                "url": row["url"],
                "topics": json.loads(row["topics"]),
                "active": bool(row["active"]),
                "created_at": row["created_at"],
            }
            for row in self._database.rows("SELECT * FROM webhook ORDER BY created_at, id")
        ]

    def deliveries(self) -> list[dict[str, Any]]:
        """Every notification with what became of it, in the order of the changes.

        ``state`` is ``owed``, ``delivered``, ``failed`` (both tries) or ``lost`` (by a fault).
        """
        return [
            {
                "id": row["notification_id"],
                "subscription_id": row["webhook_id"],
                "topic": row["topic"],
                "state": row["state"],
                "delivery_attempts": row["attempts"],
                "last_status": row["last_status"],
                "created_at": row["created_at"],
            }
            for row in self._database.rows("SELECT * FROM webhook_delivery ORDER BY number")
        ]

    def settle(self, timeout_seconds: float = 5.0) -> bool:
        """Wait until nothing is due by the workspace's clock; False when time runs out."""
        return self._deliverer.settle(timeout_seconds)

    def forget(self) -> None:
        """Take no memory of subscriptions over a reset or restore."""
        self._wanted = None
        self._deliverer.forget()

    def close(self) -> None:
        """Send nothing more."""
        self._deliverer.stop()

    def _wants(self) -> frozenset[str]:
        if self._wanted is None:
            self._wanted = frozenset(
                topic for row in self._active() for topic in json.loads(row["topics"])
            )
        return self._wanted

    def _active(self) -> list[sqlite3.Row]:
        return self._database.rows("SELECT * FROM webhook WHERE active = 1")

    def _owe(self, topic: str, item: dict[str, Any], hooks: list[sqlite3.Row]) -> int:
        clock = self._workspace.clock
        for row in hooks:
            for order in self._orders(topic):
                self._database.insert(
                    "webhook_delivery",
                    {
                        "notification_id": f"notif_{uuid.uuid4()}",
                        "webhook_id": row["id"],
                        "topic": topic,
                        "item": json.dumps(item, ensure_ascii=False),
                        "created_at": clock.now_seconds(),
                        "due_ms": clock.now_ms(),
                        "state": "lost" if order == "webhook_lost" else "owed",
                        "trick": order,
                    },
                )
        self._deliverer.wake()
        return len(hooks)

    def _orders(self, topic: str) -> list[str | None]:
        """What the fault desk wants done with this notification."""
        rules = self.faults.strike_webhook(topic) if self.faults is not None else []
        return [rules[0].kind if rules else None]
