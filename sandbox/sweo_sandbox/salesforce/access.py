"""Field-level security: which fields a user may see and edit, from the org's own rows.

A standard field is open to everyone, as is a custom one that must have a value; any other custom
one only through ``FieldPermissions`` on a permission set that is assigned to the user. The control
desk may hide any field from all.
"""

from __future__ import annotations

from .describe import Access
from .schema import Schema
from .store import Store

_PERMISSIONS = """
SELECT p."Field", max(p."PermissionsRead"), max(p."PermissionsEdit")
FROM "FieldPermissions" p JOIN "PermissionSetAssignment" a ON a."PermissionSetId" = p."ParentId"
WHERE a."AssigneeId" = ? GROUP BY p."Field"
"""


class FieldSecurity:
    """Answers by user, remembered until :meth:`forget`."""

    def __init__(self, schema: Schema, store: Store) -> None:
        self._schema = schema
        self._store = store
        self._granted: dict[str, dict[str, tuple[bool, bool]]] = {}
        self._hidden: set[tuple[str, str]] | None = None

    def forget(self) -> None:
        """Read the permissions again at the next question."""
        self._granted.clear()
        self._hidden = None

    def visible(self, user_id: str) -> Access:
        """Whether the user may see an object's field."""
        return lambda sobject, field: self._may(user_id, sobject, field, edit=False)

    def editable(self, user_id: str) -> Access:
        """Whether the user may change an object's field."""
        return lambda sobject, field: self._may(user_id, sobject, field, edit=True)

    def _may(self, user_id: str, sobject: str, field: str, *, edit: bool) -> bool:
        found = self._schema.sobject(sobject)
        made = found.field_named(field) if found else None
        if made is None:
            return False
        if (sobject, made.name) in self._hidden_fields():
            return False
        if not made.custom or not made.extra.get("permissionable", True):
            return True
        granted = self._grants(user_id).get(f"{sobject}.{made.name}".lower())
        return granted is not None and granted[1 if edit else 0]

    def _hidden_fields(self) -> set[tuple[str, str]]:
        if self._hidden is None:
            with self._store.lock:
                self._hidden = set(
                    self._store.writer.execute("SELECT sobject, field FROM _hidden_field")
                )
        return self._hidden

    def _grants(self, user_id: str) -> dict[str, tuple[bool, bool]]:
        grants = self._granted.get(user_id)
        if grants is None:
            with self._store.lock:
                grants = {
                    name.lower(): (bool(read), bool(edit))
                    for name, read, edit in self._store.writer.execute(_PERMISSIONS, (user_id,))
                }
            self._granted[user_id] = grants
        return grants
