"""What a user may see and do, from the org's own rows: permission sets and the profile's own set.

Objects with business data and custom objects are open to whom ``ObjectPermissions`` or "View All
Data" and "Modify All Data" let in; set-up objects are read by everyone and written by whoever may
customise the application. A field that can be taken away ("permissionable") is open through
``FieldPermissions`` only; the administrator's profile comes with those of the standard fields. The
control desk may hide any field from all.
"""

from __future__ import annotations

from dataclasses import dataclass

from .describe import Access, Action, ObjectAccess
from .schema import Schema, SObjectField, SObjectType
from .store import Store

GOVERNED = frozenset({"Account", "Campaign", "Case", "Contact", "Lead", "Opportunity"})
_SET_UP = frozenset(
    {
        "CurrencyType",
        "FieldPermissions",
        "Group",
        "ObjectPermissions",
        "PermissionSet",
        "PermissionSetAssignment",
        "Profile",
        "RecordType",
        "User",
    }
)
_ACTIONS: tuple[Action, ...] = ("read", "create", "edit", "delete")
_SETS = """
SELECT s."Id", s."PermissionsViewAllData", s."PermissionsModifyAllData",
  s."PermissionsCustomizeApplication"
FROM "PermissionSet" s
WHERE s."Id" IN (SELECT "PermissionSetId" FROM "PermissionSetAssignment" WHERE "AssigneeId" = :user)
  OR s."ProfileId" = (SELECT "ProfileId" FROM "User" WHERE "Id" = :user)
"""
_FIELDS = 'SELECT "Field", "PermissionsRead", "PermissionsEdit" FROM "FieldPermissions"'
_OBJECTS = (
    'SELECT "SobjectType", "PermissionsRead", "PermissionsCreate", "PermissionsEdit", '
    '"PermissionsDelete" FROM "ObjectPermissions"'
)


@dataclass(frozen=True, slots=True)
class _Grants:
    """What all permission sets of one user add up to; names are lower case."""

    view_all: bool
    modify_all: bool
    customize: bool
    fields: dict[str, tuple[bool, bool]]
    objects: dict[str, frozenset[Action]]


class Security:
    """Answers by user, remembered until :meth:`forget`."""

    def __init__(self, schema: Schema, store: Store) -> None:
        self._schema = schema
        self._store = store
        self._granted: dict[str, _Grants] = {}
        self._hidden: set[tuple[str, str]] | None = None

    def forget(self) -> None:
        """Read the permissions again at the next question."""
        self._granted.clear()
        self._hidden = None

    def visible(self, user_id: str) -> Access:
        """Whether the user may see an object's field."""
        return lambda sobject, field: self._may_field(user_id, sobject, field, edit=False)

    def editable(self, user_id: str) -> Access:
        """Whether the user may change an object's field."""
        return lambda sobject, field: self._may_field(user_id, sobject, field, edit=True)

    def allowed(self, user_id: str) -> ObjectAccess:
        """What the user may do with an object's records."""
        return lambda sobject, action: self.may(user_id, sobject, action)

    def may(self, user_id: str, sobject_name: str, action: Action) -> bool:
        """Whether the user may read, make, change or delete an object's records."""
        sobject = self._schema.sobject(sobject_name)
        if sobject is None:
            return False
        grants = self._grants(user_id)
        if sobject.name in _SET_UP:
            return action == "read" or grants.customize
        if not (sobject.custom or sobject.name in GOVERNED) or grants.modify_all:
            return True
        if action == "read" and grants.view_all:
            return True
        return action in grants.objects.get(sobject.name.lower(), frozenset())

    def may_customize(self, user_id: str) -> bool:
        """Whether the user may make fields and objects."""
        return self._grants(user_id).customize

    def _may_field(self, user_id: str, sobject_name: str, name: str, *, edit: bool) -> bool:
        sobject = self._schema.sobject(sobject_name)
        made = sobject.field_named(name) if sobject else None
        if sobject is None or made is None:
            return False
        if (sobject.name, made.name) in self._hidden_fields():
            return False
        if not self.may(user_id, sobject.name, "read"):
            return False
        governing = _governing(sobject, made)
        if not is_permissionable(governing):
            return True
        granted = self._grants(user_id).fields.get(f"{sobject.name}.{governing.name}".lower())
        return granted is not None and granted[1 if edit else 0]

    def _hidden_fields(self) -> set[tuple[str, str]]:
        if self._hidden is None:
            with self._store.lock:
                self._hidden = set(
                    self._store.writer.execute("SELECT sobject, field FROM _hidden_field")
                )
        return self._hidden

    def _grants(self, user_id: str) -> _Grants:
        grants = self._granted.get(user_id)
        if grants is None:
            with self._store.lock:
                grants = self._granted[user_id] = self._read_grants(user_id)
        return grants

    def _read_grants(self, user_id: str) -> _Grants:
        execute = self._store.writer.execute
        sets = execute(_SETS, {"user": user_id}).fetchall()
        marks = ", ".join("?" * len(sets))
        ids = [row[0] for row in sets]
        fields: dict[str, tuple[bool, bool]] = {}
        for name, read, edit in execute(f'{_FIELDS} WHERE "ParentId" IN ({marks})', ids):
            before = fields.get(name.lower(), (False, False))
            fields[name.lower()] = (before[0] or bool(read), before[1] or bool(edit))
        objects: dict[str, frozenset[Action]] = {}
        for name, *flags in execute(f'{_OBJECTS} WHERE "ParentId" IN ({marks})', ids):
            given = {action for action, flag in zip(_ACTIONS, flags, strict=True) if flag}
            objects[name.lower()] = objects.get(name.lower(), frozenset()) | given
        modify_all = any(row[2] for row in sets)
        return _Grants(
            view_all=modify_all or any(row[1] for row in sets),
            modify_all=modify_all,
            customize=any(row[3] for row in sets),
            fields=fields,
            objects=objects,
        )


def is_permissionable(field: SObjectField) -> bool:
    """Whether a permission set may give or take the field."""
    return bool(field.extra.get("permissionable", field.custom))


def _governing(sobject: SObjectType, field: SObjectField) -> SObjectField:
    # The parts of an address or a name are seen with the whole.
    whole = sobject.field_named(field.compound_field_name or field.name)
    return field if whole is None else whole
