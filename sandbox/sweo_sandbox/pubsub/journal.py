"""The event bus: which changes there were, in order, for 72 hours by the org's clock.

Events are rows of the org's own database, written in the transaction that makes the change: what
is undone leaves no event, what was answered is on the bus, and both outlive a restart.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..salesforce.schema import SObjectField, SObjectType
from .origin import CHANGE_ORIGIN

if TYPE_CHECKING:
    from ..salesforce.org import Org
    from ..salesforce.store import Row

RETENTION_MS = 72 * 3_600_000
# A position of a quiet bus must not grow old: a client that stored it an hour ago has missed
# nothing and may resume there.
_MARK_EVERY_MS = 3_600_000
_MARK = ""
_MOST_IDS = 200
_FIRST_COMMIT_NUMBER = 1_100_000_000_000

_WITHOUT_EVENTS = frozenset(
    {
        "CaseStatus",
        "CurrencyType",
        "FieldPermissions",
        "Group",
        "LeadStatus",
        "ObjectPermissions",
        "OpportunityStage",
        "Organization",
        "PermissionSet",
        "PermissionSetAssignment",
        "Profile",
        "RecordType",
        "TaskStatus",
    }
)
_UNSENT_FIELDS = frozenset(
    {
        "Id",
        "IsDeleted",
        "LastActivityDate",
        "LastReferencedDate",
        "LastViewedDate",
        "MasterRecordId",
        "PhotoUrl",
        "SystemModstamp",
    }
)


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One event on the bus. ``values`` are in storage form, by field; ``changed`` are names.

    ``values`` holds the whole record for CREATE and UNDELETE, what changed for UPDATE and nothing
    for DELETE; ``changed`` is empty unless the change is an UPDATE.
    """

    position: int
    sobject: str
    change_type: str
    record_ids: list[str]
    values: dict[str, Any]
    changed: list[str]
    origin: str
    user_id: str
    transaction_key: str
    sequence: int
    commit_number: int
    commit_ms: int

    @property
    def is_mark(self) -> bool:
        """Whether this only keeps the bus's position young."""
        return self.change_type == _MARK


_COLUMNS = (
    "position, sobject, change_type, record_ids, field_values, changed, origin, user_id, "
    "transaction_key, sequence, commit_number, commit_ms"
)


def has_events(sobject: SObjectType) -> bool:
    """Whether changes of the object's records are published."""
    return sobject.name not in _WITHOUT_EVENTS


def is_sent(field: SObjectField) -> bool:
    """Whether events carry the field; formulas and what the org stamps by reading are left out."""
    return field.formula is None and field.name not in _UNSENT_FIELDS


class ChangeJournal:
    """Records the changes of one org (as its store's observer) and reads them back."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._store = org.store
        self._store.observer = self
        self._transaction = -1
        self._transaction_key = ""
        self._positions: dict[int, int] = {}
        self._commit_number = _FIRST_COMMIT_NUMBER
        self._bus = 0
        self._bus_start = 0
        self.news = threading.Condition()
        self.commits = 0

    def inserted(self, sobject: SObjectType, row: Mapping[str, Any]) -> None:
        """Publish a CREATE."""
        if has_events(sobject):
            self._append(sobject, "CREATE", str(row["Id"]), _whole(sobject, row), [], row)

    def updating(
        self, sobject: SObjectType, record_id: str, before: Row, changes: Mapping[str, Any]
    ) -> None:
        """Publish an UPDATE, DELETE or UNDELETE, or nothing if only the org's stamps move."""
        if not has_events(sobject):
            return
        after = {**before, **changes}
        was_deleted, is_deleted = bool(before.get("IsDeleted")), bool(after.get("IsDeleted"))
        if is_deleted and not was_deleted:
            self._append(sobject, "DELETE", record_id, {}, [], {})
        elif was_deleted and not is_deleted:
            self._append(sobject, "UNDELETE", record_id, _whole(sobject, after), [], changes)
        elif not is_deleted and "LastModifiedDate" in changes:
            names = [
                field.name
                for field in sobject.fields.values()
                if field.stored
                and is_sent(field)
                and field.name in changes
                and (before[field.name] != after[field.name] or field.name == "LastModifiedDate")
            ]
            if sobject.name == "Lead" and after["IsConverted"] and not before["IsConverted"]:
                names.remove("LastModifiedDate")
            values = {name: after[name] for name in names if after[name] is not None}
            self._append(sobject, "UPDATE", record_id, values, names, changes)

    def removing(self, sobject: SObjectType, record_id: str, before: Row) -> None:
        """Publish a DELETE, unless the record went to the recycle bin before."""
        if has_events(sobject) and not before.get("IsDeleted"):
            self._append(sobject, "DELETE", record_id, {}, [], {})

    def replaced(self) -> None:
        """Note that the bus is another one, which counts from its own end."""
        self._bus += 1
        self._bus_start = self._last_position()

    def committed(self) -> None:
        """Wake the subscriptions.

        The store's lock is held here, so whoever holds ``news`` must not ask the journal anything.
        """
        with self.news:
            self.commits += 1
            self.news.notify_all()

    def _append(
        self,
        sobject: SObjectType,
        change_type: str,
        record_id: str,
        values: dict[str, Any],
        changed: list[str],
        stamps: Mapping[str, Any],
    ) -> None:
        execute = self._store.writer.execute
        now_ms = self._org.now_ms()
        if self._store.transactions_begun != self._transaction:
            execute("DELETE FROM _change_event WHERE commit_ms < ?", (now_ms - RETENTION_MS,))
            self._transaction = self._store.transactions_begun
            self._transaction_key = str(uuid.uuid4())
            self._positions.clear()
            self._commit_number = _FIRST_COMMIT_NUMBER + self._last_position() + 1
        origin = CHANGE_ORIGIN.get()
        user_id = stamps.get("LastModifiedById") or origin.user_id or self._org.human_user_id
        body, names = json.dumps(values), json.dumps(changed)
        # Equal changes of one transaction within one second travel as one event.
        change = (sobject.name, change_type, body, names, self._transaction_key, now_ms)
        if self._joined(change, record_id):
            return
        first = self._commit_number - _FIRST_COMMIT_NUMBER
        self._insert(
            sobject.name,
            change_type,
            [record_id],
            body,
            names,
            origin.text,
            user_id,
            self._last_position() + 2 - first,
            now_ms,
        )
        self._positions[hash(change)] = self._last_position()

    def _joined(self, change: tuple[str, str, str, str, str, int], record_id: str) -> bool:
        position = self._positions.get(hash(change))
        if position is None:
            return False
        # An undone savepoint may have given the position to another change.
        found = self._store.writer.execute(
            "SELECT record_ids FROM _change_event WHERE position = ? AND sobject = ? "
            "AND change_type = ? AND field_values = ? AND changed = ? AND transaction_key = ? "
            "AND commit_ms = ?",
            (position, *change),
        ).fetchone()
        record_ids = [] if found is None else json.loads(found[0])
        if found is None or record_id in record_ids or len(record_ids) >= _MOST_IDS:
            return False
        self._store.writer.execute(
            "UPDATE _change_event SET record_ids = ? WHERE position = ?",
            (json.dumps([*record_ids, record_id]), position),
        )
        return True

    def _insert(
        self,
        sobject: str,
        change_type: str,
        record_ids: list[str],
        body: str,
        names: str,
        origin: str,
        user_id: str,
        sequence: int,
        now_ms: int,
    ) -> None:
        self._store.writer.execute(
            "INSERT INTO _change_event (sobject, change_type, record_ids, field_values, changed, "
            "origin, user_id, transaction_key, sequence, commit_number, commit_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sobject,
                change_type,
                json.dumps(record_ids),
                body,
                names,
                origin,
                user_id,
                self._transaction_key,
                sequence,
                self._commit_number,
                now_ms,
            ),
        )

    def _last_position(self) -> int:
        found = self._store.writer.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = '_change_event'"
        ).fetchone()
        return 0 if found is None else int(found[0])

    def latest_position(self) -> int:
        """Where the bus ends now; the position stays good for 71 hours at least."""
        with self._store.lock:
            last = self._last_position()
            if not last or self._store.in_transaction:
                return last
            now_ms = self._org.now_ms()
            young = self._store.writer.execute(
                "SELECT 1 FROM _change_event WHERE position = ? AND commit_ms > ?",
                (last, now_ms - _MARK_EVERY_MS),
            ).fetchone()
            if young is None:
                with self._store.transaction():
                    self._insert("", _MARK, [], "{}", "[]", "", "", 0, now_ms)
                last = self._last_position()
            return last

    def earliest_position(self) -> int:
        """The position before the oldest event that is kept."""
        with self._store.lock:
            found = self._store.writer.execute(
                "SELECT min(position) FROM _change_event WHERE commit_ms >= ?",
                (self._org.now_ms() - RETENTION_MS,),
            ).fetchone()
            return self._last_position() if found[0] is None else int(found[0]) - 1

    def holds(self, position: int) -> bool:
        """Whether a subscription may resume behind a position: it was given out and is kept."""
        with self._store.lock:
            if not 0 <= position <= self._last_position():
                return False
            if position == 0:
                return self.earliest_position() == 0
            found = self._store.writer.execute(
                "SELECT commit_ms FROM _change_event WHERE position = ?", (position,)
            ).fetchone()
            return found is not None and found[0] >= self._org.now_ms() - RETENTION_MS

    @property
    def bus(self) -> int:
        """Which bus this is: a reset or a restored snapshot makes it another one."""
        return self._bus

    def read(
        self, bus: int, position: int, sobject: str | None, limit: int
    ) -> tuple[int, int, list[ChangeEvent]]:
        """Up to ``limit`` kept events behind a position, of one object or of all, in order.

        Returns the bus and the position that was reached with them. A position of a bus before
        this one counts as where this one began.
        """
        with self._store.lock:
            end = self.latest_position()
            if bus != self._bus:
                position = min(position, self._bus_start)
            only = "" if sobject is None else "AND sobject = ? "
            kept = (position, self._org.now_ms() - RETENTION_MS, _MARK)
            rows = self._store.writer.execute(
                f"SELECT {_COLUMNS} FROM _change_event WHERE position > ? "  # noqa: S608
                f"AND commit_ms >= ? AND change_type != ? {only}ORDER BY position LIMIT ?",
                (*kept, *(() if sobject is None else (sobject,)), limit),
            ).fetchall()
            events = [_event(row) for row in rows]
            return self._bus, events[-1].position if events else end, events

    def remember_schema(self, schema_id: str, text: str) -> None:
        """Keep a schema that events were written with; it may be asked for later."""
        with self._store.transaction():
            self._store.writer.execute(
                "INSERT OR IGNORE INTO _event_schema VALUES (?, ?)", (schema_id, text)
            )

    def schema_text(self, schema_id: str) -> str | None:
        """A schema that :meth:`remember_schema` was given."""
        with self._store.lock:
            found = self._store.writer.execute(
                "SELECT json FROM _event_schema WHERE id = ?", (schema_id,)
            ).fetchone()
        return None if found is None else str(found[0])


def _whole(sobject: SObjectType, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field.name: row[field.name]
        for field in sobject.fields.values()
        if field.stored and is_sent(field) and row.get(field.name) is not None
    }


def _event(row: tuple[Any, ...]) -> ChangeEvent:
    position, sobject, change_type, record_ids, values, changed, *rest = row
    return ChangeEvent(
        position,
        sobject,
        change_type,
        json.loads(record_ids),
        json.loads(values),
        json.loads(changed),
        *rest,
    )
