"""One Salesforce org: its schema, rows, users, sessions and jobs, apart from any HTTP.

Tests and seeding use it directly, as a person in the browser would: :meth:`Org.insert`,
:meth:`Org.update` and :meth:`Org.delete` act as a human user with every right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from . import currencies, errors, facts, ids, lifecycle, statuses
from .access import Security
from .automation import Flow, Trigger
from .base_rows import MINIMUM_ACCESS, RowAdder, make_base_rows, make_profiles
from .rules import DuplicateRule, ValidationRule
from .schema import SObjectType
from .sessions import Sessions
from .settings import OrgSettings
from .store import Row, Store
from .writes import WriteContext, Writer

if TYPE_CHECKING:
    from .bulk_jobs import BulkJob
    from .queries import QueryCursor


class ClockLike(Protocol):
    """Where the org's time comes from."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        ...


class Org:
    """The state behind the API. Thread-safe as far as the store is."""

    def __init__(self, settings: OrgSettings, data_dir: Path | None, clock: ClockLike) -> None:
        self.settings = settings
        self.clock = clock
        self.schema = facts.load_schema()
        self.store = Store(self.schema, data_dir, settings.org_number)
        self.security = Security(self.schema, self.store)
        self.writer = Writer(self)
        self.sessions = Sessions(self)
        self._begin()

    def _begin(self) -> None:
        self.calls_used = 0
        self.schema_changed_ms = self.now_ms()
        self.validation_rules: list[ValidationRule] = []
        self.duplicate_rules: list[DuplicateRule] = []
        self.automation: list[Flow | Trigger] = []
        self.jobs: dict[str, BulkJob] = {}
        self.cursors: dict[str, QueryCursor] = {}
        self._locks: Counter[str] = Counter()
        self._archived_day: int | None = None
        currencies.load(self)
        self._load_custom()
        self.store.create_tables()
        is_new = self.store.meta("organization_id") is None
        if is_new:
            make_base_rows(self)
        self.organization_id = str(self.store.meta("organization_id"))
        self.integration_user_id = str(self.store.meta("integration_user_id"))
        self.human_user_id = str(self.store.meta("human_user_id"))
        self.queue_user_id = str(self.store.meta("queue_user_id"))
        self._hidden_rows = {
            row[0] for row in self.store.writer.execute("SELECT id FROM _hidden_row")
        }
        if self.settings.access_token:
            self.sessions.remember(self.settings.access_token, self.integration_user_id, None)
        if not self.rows("PermissionSet", IsOwnedByProfile=1):
            make_profiles(self)
        self.security.forget()
        statuses.load(self)
        if is_new and self.settings.currencies:
            currencies.switch_on(self, self.settings.currencies)

    def now_ms(self) -> int:
        """The time that records are stamped with: whole seconds, as the vendor stores them."""
        return self.clock.now_ms() // 1000 * 1000

    def close(self) -> None:
        """Release the database."""
        self._close_cursors()
        self.store.close()

    def reset(self) -> None:
        """Back to the state of a new org; the call meter is the desk's."""
        with self.store.lock:
            self._close_cursors()
            self.store.clear()
            self._reload_schema()
            self._begin()

    def snapshot(self, path: Path) -> None:
        """Keep a copy of every row, field and session."""
        self.store.copy_to(path)

    def restore(self, path: Path) -> None:
        """Go back to a copy."""
        with self.store.lock:
            self._close_cursors()
            self.store.copy_from(path)
            self._reload_schema()
            self._begin()

    def _close_cursors(self) -> None:
        for cursor in list(self.cursors.values()):
            cursor.close()
        self.cursors.clear()
        for job in self.jobs.values():
            if job.cursor is not None:
                job.cursor.close()
        self.jobs.clear()

    def _reload_schema(self) -> None:
        self.schema.sobjects.clear()
        self.schema.sobjects.update(facts.load_schema().sobjects)

    def _load_custom(self) -> None:
        for (text,) in self.store.writer.execute("SELECT facts FROM _custom_object ORDER BY id"):
            self.schema_add_object(json.loads(text))
        fields = self.store.writer.execute("SELECT sobject, facts FROM _custom_field ORDER BY id")
        for name, text in fields.fetchall():
            self.schema_add_field(name, json.loads(text))

    def schema_add_object(self, facts_of_object: dict[str, Any]) -> SObjectType:
        """Put an object into the schema, without a table yet."""
        made = SObjectType(
            name=facts_of_object["name"],
            label=facts_of_object["label"],
            label_plural=facts_of_object["labelPlural"],
            key_prefix=facts_of_object["keyPrefix"],
            custom=True,
            extra={"feedEnabled": False, "mergeable": False, "mruEnabled": False},
        )
        self.schema.sobjects[made.name.lower()] = made
        for entry in facts_of_object["fields"]:
            each = facts.field_of(entry)
            made.fields[each.name.lower()] = each
            facts.link_field(self.schema, made, each)
        if facts_of_object.get("activities"):
            facts.add_activity_target(self.schema, made)
        currencies.extend_object(self, made)
        return made

    def schema_changed(self) -> None:
        """Note that describe answers differ from now on."""
        self.access_changed()
        self.store.drop_readers()

    def access_changed(self) -> None:
        """Note that users see other fields and objects from now on, in describe answers too."""
        self.schema_changed_ms = self.now_ms()
        self.security.forget()

    def schema_add_field(self, sobject_name: str, facts_of_field: dict[str, Any]) -> None:
        """Put a field into the schema, and its relationship on the parent's side."""
        sobject = self.schema.sobjects[sobject_name.lower()]
        made = facts.field_of(facts_of_field)
        sobject.fields[made.name.lower()] = made
        facts.link_field(self.schema, sobject, made)

    def schema_remove_field(self, sobject_name: str, name: str) -> None:
        """Take a field out of the schema; its column stays."""
        sobject = self.schema.sobjects[sobject_name.lower()]
        removed = sobject.fields.pop(name.lower())
        for parent in self.schema.sobjects.values():
            parent.child_relationships = [
                relation
                for relation in parent.child_relationships
                if (relation.child_sobject, relation.field) != (sobject.name, removed.name)
            ]

    def end_all_sessions(self) -> None:
        """End every session, the ready one too: the next call of each client gets a 401."""
        self.sessions.end_all()

    def user_named(self, username: str) -> str | None:
        """The id of the active user of that name."""
        rows = self.store.rows(
            self.schema.sobjects["user"], '"Username" = ? COLLATE NOCASE', (username,)
        )
        return str(rows[0]["Id"]) if rows and rows[0]["IsActive"] else None

    def add_user(self, username: str, profile: str = MINIMUM_ACCESS) -> str:
        """Make an active user of a profile, which may call the API and little else. Returns its id.

        What more the user may do comes from permission sets that are assigned to it.
        """
        profiles = self.rows("Profile", Name=profile)
        if not profiles:
            raise errors.not_found(f"there is no profile {profile}")
        with self.store.unobserved(), self.store.transaction():
            add = RowAdder(self, self.human_user_id)
            return add.user(None, username.partition("@")[0], username, profiles[0]["Id"])

    def assignment_owner(self, sobject_name: str) -> str | None:
        """Whom the object's assignment rule gives records to."""
        return self.queue_user_id if sobject_name in self.settings.assignment_rules else None

    def as_human(self) -> WriteContext:
        """The context of a person in the browser: every right, no assignment rules."""
        return WriteContext(self.human_user_id, auto_assign=False, enforce=False)

    def insert(self, sobject_name: str, values: Mapping[str, Any]) -> str:
        """Make a record as a person; the values are as in REST. Returns its id."""
        sobject = self._sobject(sobject_name)
        return self.writer.create(sobject, dict(values), self.as_human()).id

    def update(self, sobject_name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Change a record as a person."""
        sobject = self._sobject(sobject_name)
        self.writer.update(sobject, self._id(record_id), dict(values), self.as_human())

    def delete(self, sobject_name: str, record_id: str, *, hard: bool = False) -> None:
        """Delete a record as a person, into the recycle bin unless ``hard``."""
        sobject = self._sobject(sobject_name)
        self.writer.delete(sobject, self._id(record_id), self.as_human(), hard=hard)

    def row(self, sobject_name: str, record_id: str) -> Row | None:
        """A record in storage form, deleted or not."""
        return self.store.row(self._sobject(sobject_name), self._id(record_id))

    def rows(self, sobject_name: str, **equal: Any) -> list[Row]:
        """Records in storage form whose columns hold those values, deleted or not, by id."""
        sobject = self._sobject(sobject_name)
        where = " AND ".join([f'"{name}" IS ?' for name in equal] or ["1"])
        return self.store.rows(sobject, f'{where} ORDER BY "Id"', tuple(equal.values()))

    def bulk_load(self, sobject_name: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Insert rows in storage form fast, without checks; system fields are filled in.

        Every row must have the same keys. Returns the ids. One transaction.
        """
        sobject = self._sobject(sobject_name)
        now_ms = self.now_ms()
        defaults: Row = {
            each.name: (0 if each.type == "boolean" else None)
            for each in sobject.fields.values()
            if each.stored
        }
        user_id = self.human_user_id
        fixed: Row = {
            "OwnerId": user_id,
            "CreatedDate": now_ms,
            "CreatedById": user_id,
            "LastModifiedDate": now_ms,
            "LastModifiedById": user_id,
            "SystemModstamp": now_ms,
        }
        if currencies.FIELD in defaults:
            fixed[currencies.FIELD] = currencies.default_of(self, user_id)
        defaults.update({key: value for key, value in fixed.items() if key in defaults})
        made: list[str] = []
        with self.store.transaction():

            def complete() -> Iterable[tuple[Any, ...]]:
                for row in rows:
                    record_id = self.store.new_id(sobject)
                    made.append(record_id)
                    yield tuple({**defaults, "Id": record_id, **row}.values())

            self.store.insert_many(sobject, list(defaults), complete())
        return made

    def set_columns(self, sobject_name: str, record_id: str, columns: Mapping[str, Any]) -> None:
        """Overwrite columns in storage form, system fields too, and move no timestamp."""
        with self.store.unobserved(), self.store.transaction():
            self.store.update(self._sobject(sobject_name), self._id(record_id), columns)

    def hide_field(self, sobject_name: str, field: str, *, hidden: bool = True) -> None:
        """Take a field away from every API user (field-level security), or give it back."""
        sobject = self._sobject(sobject_name)
        known = sobject.field_named(field)
        if known is None:
            raise errors.invalid_type(f"{sobject_name}.{field}")
        with self.store.transaction():
            if hidden:
                self.store.writer.execute(
                    "INSERT OR IGNORE INTO _hidden_field VALUES (?, ?)", (sobject.name, known.name)
                )
            else:
                self.store.writer.execute(
                    "DELETE FROM _hidden_field WHERE sobject = ? AND field = ?",
                    (sobject.name, known.name),
                )
        self.access_changed()

    def hide_row(self, record_id: str, *, hidden: bool = True) -> None:
        """Take a record away from every API user (sharing), or give it back."""
        with self.store.transaction():
            statement = (
                "INSERT OR IGNORE INTO _hidden_row VALUES (?)"
                if hidden
                else "DELETE FROM _hidden_row WHERE id = ?"
            )
            self.store.writer.execute(statement, (self._id(record_id),))
        self._hidden_rows = {
            row[0] for row in self.store.writer.execute("SELECT id FROM _hidden_row")
        }

    def is_hidden(self, record_id: str) -> bool:
        """Whether sharing keeps the record from API users."""
        return record_id in self._hidden_rows

    @property
    def has_hidden_rows(self) -> bool:
        """Whether queries must leave rows out."""
        return bool(self._hidden_rows)

    def archive_activities_daily(self) -> None:
        """Archive what has become old enough, at the first query of a day by the org's clock.

        The vendor does it in the background at no documented hour.
        """
        day = self.now_ms() // 86_400_000
        if day != self._archived_day:
            self._archived_day = day
            lifecycle.archive_activities(self)

    def lock_row(self, record_id: str, times: int = 1) -> None:
        """Make the next ``times`` writes to a record fail with UNABLE_TO_LOCK_ROW."""
        self._locks[self._id(record_id)] = times

    def take_lock(self, record_id: str) -> bool:
        """Whether this write is one that :meth:`lock_row` asked to fail; counts it."""
        if self._locks[record_id] <= 0:
            return False
        self._locks[record_id] -= 1
        return True

    def _sobject(self, name: str) -> SObjectType:
        found = self.schema.sobject(name)
        if found is None:
            raise errors.invalid_type(name)
        return found

    def _id(self, text: str) -> str:
        return ids.to_18(text) or text
