"""The rows that a new org has before anybody writes one: organization, users, permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .org import Org
    from .store import Row


def make_base_rows(org: Org) -> None:
    """Write them into an org without rows, and note the ids that the org knows by heart."""
    get = org.schema.sobjects.__getitem__
    with org.store.unobserved(), org.store.transaction():
        now_ms = org.now_ms()
        admin_id = org.store.new_id(get("user"))
        stamps = {
            "CreatedDate": now_ms,
            "CreatedById": admin_id,
            "LastModifiedDate": now_ms,
            "LastModifiedById": admin_id,
            "SystemModstamp": now_ms,
        }

        def add(name: str, **values: Any) -> str:
            sobject = get(name.lower())
            row: Row = {
                each.name: (0 if each.type == "boolean" else None)
                for each in sobject.fields.values()
                if each.stored
            }
            row["Id"] = values.pop("Id", None) or org.store.new_id(sobject)
            row.update({key: value for key, value in stamps.items() if key in row})
            row.update(values)
            org.store.insert(sobject, row)
            return str(row["Id"])

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
        profile_id = add("Profile", Name="System Administrator", UserType="Standard")

        def add_user(first: str | None, last: str, username: str, **values: Any) -> str:
            return add(
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

        add_user("Ada", "Admin", "ada.admin@sandbox.example", Id=admin_id)
        integration_id = add_user(None, "Integration", org.settings.username)
        queue_id = add_user(None, "Queue", "queue@sandbox.example")
        add("Group", Name="Inbound", DeveloperName="Inbound", Type="Queue")
        permission_set = add(
            "PermissionSet",
            Name="Sweo_Sync",
            Label="Sweo Sync",
            Type="Regular",
            IsCustom=1,
            PermissionsApiEnabled=1,
            PermissionsViewAllData=1,
        )
        for user_id in (admin_id, integration_id):
            add(
                "PermissionSetAssignment",
                PermissionSetId=permission_set,
                AssigneeId=user_id,
                IsActive=1,
            )
        for sobject in org.schema.sobjects.values():
            for each in sobject.fields.values():
                if each.custom:
                    add(
                        "FieldPermissions",
                        ParentId=permission_set,
                        SobjectType=sobject.name,
                        Field=f"{sobject.name}.{each.name}",
                        PermissionsRead=1,
                        PermissionsEdit=int(not each.calculated),
                    )
        for key, value in (
            ("organization_id", organization_id),
            ("integration_user_id", integration_id),
            ("human_user_id", admin_id),
            ("queue_user_id", queue_id),
            ("permission_set_id", permission_set),
        ):
            org.store.set_meta(key, value)
