"""The rows that a new org has before anybody writes one: organization, users, permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .access import GOVERNED, is_permissionable

if TYPE_CHECKING:
    from .org import Org
    from .schema import SObjectField
    from .store import Row


ADMINISTRATOR = "System Administrator"
MINIMUM_ACCESS = "Minimum Access - API Only Integrations"
_OBJECT_RIGHTS = ("Read", "Create", "Edit", "Delete")


def make_base_rows(org: Org) -> None:
    """Write them into an org without rows, and note the ids that the org knows by heart."""
    with org.store.unobserved(), org.store.transaction():
        add = RowAdder(org, org.store.new_id(org.schema.sobjects["user"]))
        organization_id = add(
            "Organization",
            Name=org.settings.organization_name,
            OrganizationType="Developer Edition",
            InstanceName="SBX1",
            Country="US",
            DefaultLocaleSidKey="en_US",
            TimeZoneSidKey="America/Los_Angeles",
            LanguageLocaleKey="en_US",
            FiscalYearStartMonth=1,
            IsSandbox=1,
        )
        profile_id = add("Profile", Name=ADMINISTRATOR, UserType="Standard")
        add.user("Ada", "Admin", "ada.admin@sandbox.example", profile_id, Id=add.admin_id)
        integration_id = add.user(None, "Integration", org.settings.username, profile_id)
        queue_id = add.user(None, "Queue", "queue@sandbox.example", profile_id)
        add("Group", Name="Inbound", DeveloperName="Inbound", Type="Queue")
        permission_set = _make_permission_set(org, add)
        for user_id in (add.admin_id, integration_id):
            add(
                "PermissionSetAssignment",
                PermissionSetId=permission_set,
                AssigneeId=user_id,
                IsActive=1,
            )
        for key, value in (
            ("organization_id", organization_id),
            ("integration_user_id", integration_id),
            ("human_user_id", add.admin_id),
            ("queue_user_id", queue_id),
            ("permission_set_id", permission_set),
        ):
            org.store.set_meta(key, value)


def make_profiles(org: Org) -> None:
    """Write what each profile permits, which a permission set of its own holds.

    The administrator may do everything and sees every standard field; the profile for
    integrations may call the API and nothing else.
    """
    with org.store.unobserved(), org.store.transaction():
        add = RowAdder(org, org.human_user_id)
        administrator = org.rows("Profile", Name=ADMINISTRATOR)[0]["Id"]
        everything = ("ViewAllData", "ModifyAllData", "CustomizeApplication")
        granted = {f"Permissions{name}": 1 for name in everything}
        owned = add.profile_set(administrator, **granted)
        for sobject in org.schema.sobjects.values():
            for each in sobject.fields.values():
                if is_permissionable(each) and not each.custom:
                    add.field_permission(owned, sobject.name, each)
        minimum = add("Profile", Name=MINIMUM_ACCESS, UserType="Standard")
        add.profile_set(minimum)


def _make_permission_set(org: Org, add: RowAdder) -> str:
    made = add(
        "PermissionSet",
        Name="Sweo_Sync",
        Label="Sweo Sync",
        Type="Regular",
        IsCustom=1,
        PermissionsApiEnabled=1,
        PermissionsViewAllData=1,
    )
    for sobject in org.schema.sobjects.values():
        for each in sobject.fields.values():
            if each.custom:
                add.field_permission(made, sobject.name, each)
    for name in sorted(GOVERNED):
        rights = {f"Permissions{right}": 1 for right in _OBJECT_RIGHTS}
        add("ObjectPermissions", ParentId=made, SobjectType=name, **rights)
    return made


class RowAdder:
    """Writes rows as they are, stamped as an administrator's; call it inside a transaction."""

    def __init__(self, org: Org, admin_id: str) -> None:
        self._org = org
        self.admin_id = admin_id
        now_ms = org.now_ms()
        self._stamps = {
            "CreatedDate": now_ms,
            "CreatedById": admin_id,
            "LastModifiedDate": now_ms,
            "LastModifiedById": admin_id,
            "SystemModstamp": now_ms,
        }

    def __call__(self, name: str, **values: Any) -> str:
        """Add a row of an object and give its id; columns not named are empty."""
        sobject = self._org.schema.sobjects[name.lower()]
        row: Row = {
            each.name: (0 if each.type == "boolean" else None)
            for each in sobject.fields.values()
            if each.stored
        }
        row["Id"] = values.pop("Id", None) or self._org.store.new_id(sobject)
        row.update({key: value for key, value in self._stamps.items() if key in row})
        row.update(values)
        self._org.store.insert(sobject, row)
        return str(row["Id"])

    def user(
        self, first: str | None, last: str, username: str, profile_id: str, **values: Any
    ) -> str:
        """Add an active user."""
        return self(
            "User",
            FirstName=first,
            LastName=last,
            Username=username,
            Email=username,
            Alias=last[:8].lower(),
            CommunityNickname=username.split("@", maxsplit=1)[0],
            IsActive=1,
            TimeZoneSidKey="America/Los_Angeles",
            LocaleSidKey="en_US",
            EmailEncodingKey="UTF-8",
            LanguageLocaleKey="en_US",
            ProfileId=profile_id,
            UserType="Standard",
            **values,
        )

    def profile_set(self, profile_id: str, **permissions: int) -> str:
        """Add the permission set that holds what a profile permits."""
        return self(
            "PermissionSet",
            Name=f"X{profile_id}",
            Label=f"X{profile_id}",
            Type="Profile",
            ProfileId=profile_id,
            IsOwnedByProfile=1,
            PermissionsApiEnabled=1,
            **permissions,
        )

    def field_permission(self, parent_id: str, sobject: str, field: SObjectField) -> None:
        """Open a field for reading and, if it can be written, for writing."""
        writable = not field.calculated and (field.createable or field.updateable)
        self(
            "FieldPermissions",
            ParentId=parent_id,
            SobjectType=sobject,
            Field=f"{sobject}.{field.name}",
            PermissionsRead=1,
            PermissionsEdit=int(writable or bool(field.compound_parts)),
        )
