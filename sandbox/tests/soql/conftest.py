from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sweo_sandbox.salesforce.ids import make_id
from sweo_sandbox.salesforce.schema import (
    ChildRelationship,
    PicklistValue,
    Schema,
    SObjectField,
    SObjectType,
)
from sweo_sandbox.soql import CompiledQuery, compile_query, install_functions

NOW_MS = 1_772_539_445_000  # 2026-03-03T12:04:05Z, a Tuesday
USER = make_id("005", 1)

_ADDRESS_TEXTS = ("Street", "City", "State", "PostalCode", "Country")


def _sobject(name: str, prefix: str, *fields: SObjectField, deletable: bool = True) -> SObjectType:
    system = [
        SObjectField("Id", "id", nillable=False),
        SObjectField("CreatedDate", "datetime", nillable=False),
        SObjectField("SystemModstamp", "datetime", nillable=False),
    ]
    if deletable:
        system.append(SObjectField("IsDeleted", "boolean", nillable=False))
    made = SObjectType(name, name, name + "s", prefix)
    for field in [*system, *fields]:
        made.fields[field.name.lower()] = field
    return made


def _lookup(name: str, *targets: str) -> SObjectField:
    return SObjectField(
        name, "reference", reference_to=list(targets), relationship_name=name.removesuffix("Id")
    )


def _picklist(name: str, *values: str, kind: str = "picklist") -> SObjectField:
    entries = [PicklistValue(value, f"{value} label") for value in values]
    return SObjectField(name, kind, picklist_values=entries)


def build_schema() -> Schema:
    account = _sobject(
        "Account",
        "001",
        SObjectField("Name", "string", nillable=False, name_field=True),
        _picklist("Industry", "Media", "Banking", "Energy"),
        SObjectField("AnnualRevenue", "currency"),
        SObjectField("NumberOfEmployees", "int"),
        SObjectField("Description", "textarea", filterable=False, sortable=False, groupable=False),
        SObjectField("Customer_Number__c", "string", custom=True, external_id=True, unique=True),
        SObjectField("Code__c", "string", custom=True, case_sensitive=True),
        SObjectField("Active__c", "boolean", custom=True, nillable=False),
        SObjectField("Renewal__c", "date", custom=True),
        _picklist("Regions__c", "AMER", "APAC", "EMEA", kind="multipicklist"),
        *(SObjectField(f"Billing{part}", "string") for part in _ADDRESS_TEXTS),
        SObjectField("BillingLatitude", "double"),
        SObjectField("BillingLongitude", "double"),
        SObjectField(
            "BillingAddress",
            "address",
            compound_parts=[
                f"Billing{part}" for part in (*_ADDRESS_TEXTS, "Latitude", "Longitude")
            ],
        ),
        _lookup("OwnerId", "User"),
        _lookup("ParentId", "Account"),
    )
    contact = _sobject(
        "Contact",
        "003",
        SObjectField("FirstName", "string"),
        SObjectField("LastName", "string", nillable=False),
        SObjectField("Name", "string", compound_parts=["Salutation", "FirstName", "LastName"]),
        SObjectField("Email", "email"),
        _lookup("AccountId", "Account"),
        SObjectField(
            "Label__c", "string", custom=True, formula=["Account.Name", "' / '", "LastName"]
        ),
        SObjectField("Secret__c", "string", custom=True),
    )
    lead = _sobject(
        "Lead",
        "00Q",
        SObjectField("LastName", "string", nillable=False),
        SObjectField("Name", "string", compound_parts=["LastName"]),
        SObjectField("Email", "email"),
        _lookup("OwnerId", "User", "Group"),
    )
    task = _sobject(
        "Task",
        "00T",
        SObjectField("Subject", "string"),
        _lookup("WhoId", "Contact", "Lead"),
        _lookup("WhatId", "Account", "Lead"),
    )
    user = _sobject(
        "User",
        "005",
        SObjectField("Name", "string"),
        SObjectField("Email", "email"),
        _lookup("ManagerId", "User"),
        _lookup("ProfileId", "Profile"),
        deletable=False,
    )
    group = _sobject("Group", "00G", SObjectField("Name", "string"), deletable=False)
    profile = _sobject("Profile", "00e", SObjectField("Name", "string"), deletable=False)
    account.child_relationships = [
        ChildRelationship("Contact", "AccountId", "Contacts"),
        ChildRelationship("Account", "ParentId", "ChildAccounts"),
        ChildRelationship("Task", "WhatId", "Tasks"),
    ]
    contact.child_relationships = [ChildRelationship("Task", "WhoId", "Tasks")]
    objects = (account, contact, lead, task, user, group, profile)
    return Schema({made.name.lower(): made for made in objects})


def create_tables(connection: sqlite3.Connection, schema: Schema) -> None:
    types = {"boolean": "INTEGER", "int": "INTEGER", "datetime": "INTEGER"}
    types |= dict.fromkeys(("double", "currency", "percent"), "REAL")
    for sobject in schema.sobjects.values():
        columns = [
            f'"{f.name}" {types.get(f.type, "TEXT")}{" PRIMARY KEY" if f.name == "Id" else ""}'
            for f in sobject.fields.values()
            if f.stored
        ]
        connection.execute(f'CREATE TABLE "{sobject.name}" ({", ".join(columns)})')


class Org:
    """A schema, its rows, and a way to ask."""

    def __init__(self) -> None:
        self.schema = build_schema()
        self.connection = sqlite3.connect(":memory:")
        install_functions(self.connection)
        create_tables(self.connection, self.schema)
        self.hidden = {("Contact", "Secret__c")}
        self._numbers: dict[str, int] = {}

    def add(self, sobject: str, **values: Any) -> str:
        described = self.schema.sobjects[sobject.lower()]
        number = self._numbers[sobject] = self._numbers.get(sobject, 0) + 1
        defaults: dict[str, Any] = {"CreatedDate": NOW_MS, "SystemModstamp": NOW_MS, "IsDeleted": 0}
        defaults |= {"Active__c": 0, "LastName": "Doe"}
        row = {k: v for k, v in defaults.items() if k.lower() in described.fields}
        row |= {"Id": make_id(described.key_prefix, number), **values}
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        self.connection.execute(
            f'INSERT INTO "{sobject}" ({names}) VALUES ({marks})', [*row.values()]
        )
        return str(row["Id"])

    def compile(self, soql: str, *, include_deleted: bool = False) -> CompiledQuery:
        return compile_query(
            soql,
            self.schema,
            now_ms=NOW_MS,
            user_id=USER,
            include_deleted=include_deleted,
            visible=lambda sobject, field: (sobject, field) not in self.hidden,
        )

    def records(self, soql: str, *, include_deleted: bool = False) -> list[dict[str, Any]]:
        query = self.compile(soql, include_deleted=include_deleted)
        rows = self.connection.execute(query.json_sql("62.0"), query.params).fetchall()
        assert self.connection.execute(query.count_sql, query.params).fetchone()[0] == len(rows)
        return [query.record(row) for row in rows]

    def column(self, soql: str, **options: bool) -> list[Any]:
        """The one selected value of each record."""
        return [
            next(value for key, value in record.items() if key != "attributes")
            for record in self.records(soql, **options)
        ]

    def count(self, soql: str) -> int:
        query = self.compile(soql)
        (total,) = self.connection.execute(query.count_sql, query.params).fetchone()
        return int(total)


@pytest.fixture(scope="module")
def shared_org() -> Iterator[Org]:
    made = Org()
    yield made
    made.connection.close()


@pytest.fixture
def org() -> Iterator[Org]:
    made = Org()
    yield made
    made.connection.close()
