"""Creates, changes and deletes records as the org's rules have it.

Each method works on one record inside a transaction of its own (a savepoint within a request's)
and raises :class:`SalesforceError` with nothing done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import automation, currencies, derived, errors, ids, permissions, rules, statuses, values
from .describe import Action
from .errors import SalesforceError
from .schema import SObjectField, SObjectType
from .store import Row, quoted

if TYPE_CHECKING:
    from .org import Org

_MASTER_RECORD_TYPE = "012000000000000AAA"
_SECURITY_OBJECTS = frozenset(
    {"FieldPermissions", "ObjectPermissions", "PermissionSet", "PermissionSetAssignment", "User"}
)
_NUMBER_PLACE = re.compile(r"\{(0+)\}")
_QUEUED = frozenset({"Lead", "Case"})


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Who writes, and with which headers.

    ``enforce`` is False for the control desk, which acts as an administrator who may set anything.
    ``from_csv`` words a value of the wrong type as Bulk does.
    ``auto_assign`` is ``Sforce-Auto-Assign``; the vendor's default is on.
    """

    user_id: str
    auto_assign: bool = True
    allow_duplicates: bool = False
    enforce: bool = True
    lock_all: bool = False
    from_csv: bool = False


@dataclass(slots=True)
class Written:
    """What became of a record that was written."""

    id: str
    created: bool
    changed: list[str] = field(default_factory=list)


class Writer:
    """Writes into one org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._store = org.store

    def create(self, sobject: SObjectType, body: dict[str, Any], context: WriteContext) -> Written:
        """Make a record."""
        self._check_right(sobject, "create", context)
        given = self._prepare(sobject, body, context, creating=True)
        with self._store.transaction():
            now_ms = self._org.now_ms()
            row: Row = {each.name: None for each in sobject.fields.values() if each.stored}
            row.update(self._defaults(sobject, context.user_id))
            row.update(self._numbers(sobject))
            row.update({name: value for name, value in given.items() if value is not None})
            automation.run(self._org, sobject, row, given)
            self._require(sobject, row)
            self._check_references(sobject, given, row)
            self._check_unique(sobject, given, None)
            permissions.check(self._org, sobject, row, context)
            rules.check(self._org, sobject, row, given, context)
            row["Id"] = self._store.new_id(sobject)
            self._assign(sobject, row, context)
            for name, value in (
                ("CreatedDate", now_ms),
                ("CreatedById", context.user_id),
                ("LastModifiedDate", now_ms),
                ("LastModifiedById", context.user_id),
                ("SystemModstamp", now_ms),
            ):
                if name in row:
                    row[name] = value
            changes = dict(row)
            derived.derive(self._store, sobject, row, changes, creating=True, now_ms=now_ms)
            row.update({name: value for name, value in changes.items() if name in row})
            self._store.insert(sobject, row)
            if sobject.name in ("Task", "Event"):
                derived.touch_activity_parents(self._store, row, now_ms=now_ms)
        self._after(sobject)
        return Written(row["Id"], created=True, changed=list(given))

    def update(
        self,
        sobject: SObjectType,
        record_id: str,
        body: dict[str, Any],
        context: WriteContext,
        *,
        unmodified_since_ms: int | None = None,
    ) -> Written:
        """Change a record; ``unmodified_since_ms`` is compared with LastModifiedDate."""
        self._check_right(sobject, "edit", context)
        with self._store.transaction():
            row = self.live_row(sobject, record_id)
            self.check_lock(record_id, context)
            modified = row.get("LastModifiedDate")
            if unmodified_since_ms is not None and modified and modified > unmodified_since_ms:
                raise precondition_failed()
            if sobject.name == "Lead" and row["IsConverted"] and context.enforce:
                raise SalesforceError(
                    "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", 400, []
                )
            given = self._prepare(sobject, body, context, creating=False)
            after = {**row, **given}
            automation.run(self._org, sobject, after, given)
            self._require(sobject, after, only=given)
            self._check_references(sobject, given, after)
            self._check_unique(sobject, given, record_id)
            permissions.check(self._org, sobject, after, context)
            rules.check(self._org, sobject, after, given, context)
            now_ms = self._org.now_ms()
            self._assign(sobject, after, context)
            if "OwnerId" in after and after["OwnerId"] != row["OwnerId"]:
                given["OwnerId"] = after["OwnerId"]
            changed = list(given)
            for name, value in (
                ("LastModifiedDate", now_ms),
                ("LastModifiedById", context.user_id),
                ("SystemModstamp", now_ms),
            ):
                if name in row:
                    given[name] = value
            derived.derive(self._store, sobject, after, given, creating=False, now_ms=now_ms)
            self._store.update(
                sobject, record_id, {name: value for name, value in given.items() if name in row}
            )
            if sobject.name in ("Task", "Event"):
                derived.touch_activity_parents(self._store, {**after, **given}, now_ms=now_ms)
        self._after(sobject)
        return Written(record_id, created=False, changed=changed)

    def upsert(
        self,
        sobject: SObjectType,
        key: SObjectField,
        value: Any,
        body: dict[str, Any],
        context: WriteContext,
        *,
        update_only: bool = False,
    ) -> Written:
        """Change the record whose ``key`` holds ``value``, or make one.

        Raises:
            SalesforceError: 300 ``MULTIPLE_CHOICES`` with the records' ids in ``extra`` when
                several hold it; 404 when there is none and ``update_only`` is set.
        """
        rest = {name: each for name, each in body.items() if name.lower() != key.name.lower()}
        with self._store.transaction():
            if key.name == "Id":
                record_id = ids.to_18(str(value)) if value else None
                if value and record_id is None:
                    raise values.malformed_id(key, str(value))
                if record_id:
                    return self.update(sobject, record_id, rest, context)
                return self.create(sobject, rest, context)
            held = values.coerce(key, str(value) if isinstance(value, (int, float)) else value)
            if held is None:
                raise SalesforceError("MISSING_ARGUMENT", f"{key.name} not specified", 400, [])
            found = self.find(sobject, key, held)
            if len(found) > 1:
                raise SalesforceError(
                    "DUPLICATE_EXTERNAL_ID",
                    f"{key.name}: more than one record found for external id field: {found}",
                    300,
                    [key.name],
                    {"ids": found},
                )
            if found:
                return self.update(sobject, found[0], rest, context)
            if update_only:
                raise errors.not_found()
            return self.create(sobject, {**rest, key.name: value}, context)

    def find(self, sobject: SObjectType, key: SObjectField, value: Any) -> list[str]:
        """Ids of the live records whose ``key`` holds ``value``, oldest first."""
        live = ' AND "IsDeleted" = 0' if "isdeleted" in sobject.fields else ""
        collation = (
            "" if key.type in ("id", "reference") or key.case_sensitive else " COLLATE NOCASE"
        )
        rows = self._store.rows(
            sobject, f'{quoted(key.name)} = ?{collation}{live} ORDER BY "Id"', (value,)
        )
        return [row["Id"] for row in rows]

    def live_row(self, sobject: SObjectType, record_id: str) -> Row:
        """The row, or the vendor's refusal when there is none, it is deleted or hidden."""
        row = self._store.row(sobject, record_id)
        if row is None or self._org.is_hidden(record_id):
            raise errors.not_found()
        if row.get("IsDeleted"):
            raise errors.entity_is_deleted()
        return row

    def delete(
        self, sobject: SObjectType, record_id: str, context: WriteContext, *, hard: bool = False
    ) -> None:
        """Put a record and what hangs on it into the recycle bin, or away for good."""
        self._check_right(sobject, "delete", context)
        with self._store.transaction():
            self.live_row(sobject, record_id)
            self.check_lock(record_id, context)
            self._cascade(sobject, record_id, context, hard=hard)
            self._bin(sobject, record_id, hard=hard)
        self._after(sobject)

    def _cascade(
        self, sobject: SObjectType, record_id: str, context: WriteContext, *, hard: bool
    ) -> None:
        inner = replace(context, enforce=False)
        for relation in sobject.child_relationships:
            child = self._store.schema.sobject(relation.child_sobject)
            if child is None:
                continue
            live = ' AND "IsDeleted" = 0' if "isdeleted" in child.fields else ""
            for row in self._store.rows(child, f"{quoted(relation.field)} = ?{live}", (record_id,)):
                if relation.cascade_delete:
                    if self._store.row(child, row["Id"]):
                        self.delete(child, row["Id"], inner, hard=hard)
                elif relation.field != "MasterRecordId":
                    self._store.update(child, row["Id"], {relation.field: None})

    def _bin(self, sobject: SObjectType, record_id: str, *, hard: bool) -> None:
        now_ms = self._org.now_ms()
        self._store.writer.execute(
            "INSERT OR REPLACE INTO _deletion VALUES (?, ?, ?)", (sobject.name, record_id, now_ms)
        )
        if hard or "isdeleted" not in sobject.fields or not sobject.extra.get("undeletable", True):
            self._store.remove(sobject, record_id)
            return
        self._store.update(
            sobject,
            record_id,
            {"IsDeleted": 1, "SystemModstamp": now_ms, "LastModifiedDate": now_ms},
        )

    def _check_right(self, sobject: SObjectType, action: Action, context: WriteContext) -> None:
        if not context.enforce:
            return
        possible = {
            "create": sobject.createable,
            "edit": sobject.updateable,
            "delete": sobject.deletable,
        }
        if possible[action] and self._org.security.may(context.user_id, sobject.name, action):
            return
        if action == "delete":
            raise SalesforceError(
                "INSUFFICIENT_ACCESS_OR_READONLY",
                "insufficient access rights on object id",
                400,
                [],
            )
        done = "inserted" if action == "create" else "updated"
        raise SalesforceError(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            f"entity type cannot be {done}: {sobject.label}",
            400,
            [],
        )

    def check_lock(self, record_id: str, context: WriteContext) -> None:
        """Refuse if the row is locked by order of the control desk."""
        if context.lock_all or self._org.take_lock(record_id):
            raise errors.unable_to_lock_row()

    def _prepare(
        self, sobject: SObjectType, body: dict[str, Any], context: WriteContext, *, creating: bool
    ) -> dict[str, Any]:
        """Check names and values of a body; by canonical name, in storage form."""
        visible = self._org.security.visible(context.user_id)
        editable = self._org.security.editable(context.user_id)
        given: dict[str, Any] = {}
        refused: list[str] = []
        for key, value in body.items():
            if key.lower() == "attributes":
                continue
            known = sobject.field_named(key)
            if known is None or (context.enforce and not visible(sobject.name, known.name)):
                lookup = self._foreign_key(sobject, key, value, context)
                if lookup is None:
                    raise SalesforceError(
                        "INVALID_FIELD", f"No such column '{key}' on sobject of type {sobject.name}"
                    )
                given[lookup[0]] = lookup[1]
                continue
            allowed = known.createable if creating else known.updateable
            if context.enforce:
                allowed = allowed and editable(sobject.name, known.name)
            if not known.stored or known.name == "Id" or (context.enforce and not allowed):
                refused.append(known.name)
                continue
            try:
                given[known.name] = _coerced(known, value, context)
            except SalesforceError as error:
                error.at = key if error.code == "JSON_PARSER_ERROR" else None
                raise
        if refused:
            raise SalesforceError(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security "
                "settings of this field and verify that it is read/write for your profile or "
                "permission set.",
                400,
                refused,
            )
        return given

    def _foreign_key(
        self, sobject: SObjectType, key: str, value: Any, context: WriteContext
    ) -> tuple[str, Any] | None:
        """``{"Account": {"Customer_Number__c": "7"}}``: a lookup by external id."""
        name, dot, path = key.partition(".")
        if dot:
            value = {path: value}
        field_of = sobject.relationship(name)
        if field_of is None or not (value is None or isinstance(value, dict)):
            return None
        if value is None or (dot and value[path] in (None, "")):
            return field_of.name, None
        keys = {each: held for each, held in value.items() if each.lower() != "attributes"}
        attributes = value.get("attributes")
        wanted = attributes.get("type") if isinstance(attributes, dict) else None
        for parent_name in [wanted] if wanted else field_of.reference_to:
            parent = self._store.schema.sobject(str(parent_name))
            for each, held in keys.items():
                external = parent.field_named(each) if parent else None
                if parent is None or external is None or len(keys) != 1:
                    continue
                if not (external.external_id or external.id_lookup):
                    continue
                found = self.find(parent, external, values.coerce(external, held))
                if len(found) != 1:
                    raise SalesforceError(
                        "INVALID_FIELD",
                        f"Foreign key external ID: {str(held).lower()} not found for field "
                        f"{external.name} in entity {parent.name}",
                        400,
                        [],
                    )
                return field_of.name, found[0]
        return None

    def _defaults(self, sobject: SObjectType, user_id: str) -> dict[str, Any]:
        defaults: dict[str, Any] = {}
        for each in sobject.fields.values():
            if not each.stored:
                continue
            if each.type == "boolean":
                defaults[each.name] = int(bool(each.default_value))
            elif each.name == currencies.FIELD:
                defaults[each.name] = currencies.default_of(self._org, user_id)
            elif each.default_value is not None and each.type in ("picklist", "string"):
                defaults[each.name] = each.default_value
            elif each.name == "OwnerId":
                defaults[each.name] = user_id
        return defaults

    def _numbers(self, sobject: SObjectType) -> dict[str, str]:
        numbers: dict[str, str] = {}
        for each in sobject.fields.values():
            shown = each.extra.get("displayFormat") if each.auto_number else None
            if shown:
                counted = self._store.next_number(f"{sobject.name}.{each.name}")
                number = counted - 1 + int(each.extra.get("startingNumber", 1))
                before, zeros, after = _NUMBER_PLACE.split(shown, maxsplit=1)
                numbers[each.name] = f"{before}{number:0{len(zeros)}d}{after}"
        return numbers

    def _require(self, sobject: SObjectType, row: Row, only: dict[str, Any] | None = None) -> None:
        missing = [
            each.name
            for each in sobject.fields.values()
            if not each.nillable
            and each.stored
            and (each.createable or each.updateable)
            and each.type != "boolean"
            and (only is None or each.name in only)
            and row.get(each.name) is None
            and not (only is None and each.defaulted_on_create)
        ]
        if missing:
            raise SalesforceError(
                "REQUIRED_FIELD_MISSING",
                f"Required fields are missing: [{', '.join(missing)}]",
                400,
                missing,
            )

    def _check_references(self, sobject: SObjectType, given: dict[str, Any], row: Row) -> None:
        for name, value in given.items():
            known = sobject.field_named(name)
            if known is None or known.type != "reference" or value is None:
                continue
            self._check_reference(known, value)
        if sobject.name in ("Task", "Event"):
            who, what = row.get("WhoId"), row.get("WhatId")
            if who and what and who.startswith("00Q"):
                raise SalesforceError(
                    "FIELD_INTEGRITY_EXCEPTION",
                    "WhatId can not be specified with a WhoId of type Lead",
                    400,
                    ["WhatId"],
                )

    def _check_reference(self, known: SObjectField, value: str) -> None:
        if known.name == "RecordTypeId" and value == _MASTER_RECORD_TYPE:
            return
        for parent_name in known.reference_to:
            parent = self._store.schema.sobject(parent_name)
            if parent is None or parent.key_prefix != value[:3]:
                continue
            row = self._store.row(parent, value)
            if row is None or self._org.is_hidden(value):
                raise errors.invalid_cross_reference(known.name)
            if row.get("IsDeleted"):
                raise errors.entity_is_deleted(400)
            return
        prefixes = {each.key_prefix for each in self._store.schema.sobjects.values()}
        if value[:3] in prefixes:
            raise values.malformed_id(known, value)
        raise errors.invalid_cross_reference(known.name)

    def _check_unique(
        self, sobject: SObjectType, given: dict[str, Any], record_id: str | None
    ) -> None:
        for name, value in given.items():
            known = sobject.field_named(name)
            if known is None or not known.unique or value is None:
                continue
            others = [each for each in self.find(sobject, known, value) if each != record_id]
            if others:
                raise SalesforceError(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {known.name} duplicates value on record with id: "
                    f"{others[0][:15]}",
                    400,
                    [],
                )

    def _assign(self, sobject: SObjectType, row: Row, context: WriteContext) -> None:
        if not context.auto_assign or not context.enforce or sobject.name not in _QUEUED:
            return
        owner = self._org.assignment_owner(sobject.name)
        if owner:
            row["OwnerId"] = owner

    def _after(self, sobject: SObjectType) -> None:
        if sobject.name in _SECURITY_OBJECTS:
            self._org.access_changed()
        elif sobject.name == "CurrencyType":
            currencies.refresh(self._org)
            self._org.schema_changed()
        elif sobject.name in statuses.PICKLISTS:
            statuses.refresh(self._org, sobject.name)
            self._org.schema_changed()


def _coerced(known: SObjectField, value: Any, context: WriteContext) -> Any:
    try:
        return values.coerce(known, value)
    except SalesforceError as error:
        if context.from_csv and error.code == "JSON_PARSER_ERROR":
            raise SalesforceError(
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                f"{known.label}: value not of required type: {value}",
                400,
                [known.name],
            ) from None
        raise


def precondition_failed() -> SalesforceError:
    """The record has changed since ``If-Unmodified-Since``, or its ETag is another.

    How this looks inside ``compositeResponse`` is documented nowhere.
    """
    return SalesforceError(
        "PRECONDITION_FAILED",
        "The request has not been applied because the record has been modified since",
        412,
    )
