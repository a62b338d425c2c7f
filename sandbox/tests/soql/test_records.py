from __future__ import annotations

from typing import Any

import pytest
from sweo_sandbox.soql import SoqlError

NOW_MS = 1_772_539_445_000


def test_values_print_as_their_types_do(org: Any) -> None:
    account = org.add(
        "Account",
        Name='A "B" \\ \n é',
        AnnualRevenue=5.0,
        NumberOfEmployees=5,
        Active__c=1,
        Renewal__c="2026-01-02",
        CreatedDate=NOW_MS,
    )
    (record,) = org.records(
        "SELECT id, NAME, annualrevenue, NumberOfEmployees, Active__c, Renewal__c, CreatedDate, "
        "Industry FROM account"
    )
    assert record == {
        "attributes": {
            "type": "Account",
            "url": f"/services/data/v62.0/sobjects/Account/{account}",
        },
        "Id": account,
        "Name": 'A "B" \\ \n é',
        "AnnualRevenue": 5.0,
        "NumberOfEmployees": 5,
        "Active__c": True,
        "Renewal__c": "2026-01-02",
        "CreatedDate": "2026-03-03T12:04:05.000+0000",
        "Industry": None,
    }
    assert isinstance(record["AnnualRevenue"], float)
    assert isinstance(record["NumberOfEmployees"], int)


@pytest.mark.parametrize("number", [0.1, 0.1 + 0.2, 12345678901234.56, -1e-9, 1e20, 0.0])
def test_doubles_read_back(org: Any, number: float) -> None:
    org.add("Account", Name="a", AnnualRevenue=number)
    assert org.column("SELECT AnnualRevenue FROM Account") == [number]


def test_empty_values_of_every_type_are_null(org: Any) -> None:
    org.add("Account", Name="a")
    (record,) = org.records(
        "SELECT AnnualRevenue, NumberOfEmployees, Renewal__c, Regions__c, OwnerId, Owner.Name, "
        "BillingAddress FROM Account"
    )
    assert set(record) - {"attributes"} == {key for key in record if record[key] is None}


def test_parents_nest(org: Any) -> None:
    boss = org.add("User", Name="Boss")
    owner = org.add("User", Name="Ann", ManagerId=boss)
    account = org.add("Account", Name="Acme", OwnerId=owner)
    org.add("Contact", FirstName="Jo", LastName="Doe", AccountId=account)
    (record,) = org.records(
        "SELECT Account.Owner.Manager.Name, Name, Account.Name, Account.Owner.Name FROM Contact c"
    )
    assert list(record) == ["attributes", "Account", "Name"]
    assert record["Name"] == "Jo Doe"
    assert record["Account"]["attributes"]["url"].endswith(f"/Account/{account}")
    assert record["Account"]["Owner"]["Manager"]["Name"] == "Boss"
    assert record["Account"]["Owner"]["Name"] == "Ann"


def test_alias_and_own_name_lead_paths(org: Any) -> None:
    org.add("Account", Name="Acme")
    assert org.column("SELECT a.Name FROM Account a WHERE a.Name = 'acme'") == ["Acme"]
    assert org.column("SELECT Account.Name FROM Account ORDER BY Account.Name") == ["Acme"]


def test_compound_address(org: Any) -> None:
    org.add("Account", Name="a", BillingCity="Köln", BillingLatitude=50.5)
    assert org.column("SELECT BillingAddress FROM Account") == [
        {
            "city": "Köln",
            "country": None,
            "geocodeAccuracy": None,
            "latitude": 50.5,
            "longitude": None,
            "postalCode": None,
            "state": None,
            "street": None,
        }
    ]


def test_compound_name_and_formula(org: Any) -> None:
    account = org.add("Account", Name="Acme")
    org.add("Contact", LastName="Solo", AccountId=account)
    org.add("Contact", FirstName="Jo", LastName="Doe")
    assert org.column("SELECT Name FROM Contact ORDER BY Name") == ["Jo Doe", "Solo"]
    assert org.column("SELECT Label__c FROM Contact ORDER BY Label__c") == [
        " / Doe",
        "Acme / Solo",
    ]
    assert org.column("SELECT Name FROM Contact WHERE Name = 'jo doe'") == ["Jo Doe"]


def test_children(org: Any) -> None:
    first, second = org.add("Account", Name="a"), org.add("Account", Name="b")
    jo = org.add("Contact", LastName="Jo", AccountId=first)
    org.add("Contact", LastName="Al", AccountId=first)
    org.add("Contact", LastName="Cy", AccountId=first, IsDeleted=1)
    org.add("Task", Subject="call", WhoId=jo)
    soql = (
        "SELECT Name, (SELECT LastName, Account.Name, (SELECT Subject FROM Tasks) FROM Contacts "
        "WHERE LastName != 'x' ORDER BY LastName DESC) FROM Account WHERE Name IN ('a','b') "
        "ORDER BY Name"
    )
    one, two = org.records(soql)
    assert two["Contacts"] is None
    assert one["Contacts"]["totalSize"] == 2
    assert one["Contacts"]["done"] is True
    jo_row, al_row = one["Contacts"]["records"]
    assert jo_row["attributes"]["type"] == "Contact"
    assert (jo_row["LastName"], al_row["LastName"]) == ("Jo", "Al")
    assert jo_row["Account"]["Name"] == "a"
    assert jo_row["Tasks"]["records"][0]["Subject"] == "call"
    assert al_row["Tasks"] is None
    assert org.records(soql, include_deleted=True)[0]["Contacts"]["totalSize"] == 3
    (limited,) = org.column("SELECT (SELECT Id FROM Contacts LIMIT 1) FROM Account LIMIT 1")
    assert limited["totalSize"] == 1
    assert second


def test_polymorphic_lookups(org: Any) -> None:
    ann, queue = org.add("User", Name="Ann", Email="a@x.co"), org.add("Group", Name="Queue")
    account, lead = org.add("Account", Name="Acme", AnnualRevenue=2.0), org.add("Lead", OwnerId=ann)
    org.add("Lead", LastName="Q", OwnerId=queue)
    org.add("Task", Subject="1", WhoId=lead, WhatId=account)
    org.add("Task", Subject="2")
    records = org.records("SELECT Owner.Name, Owner.Type, Owner.Id FROM Lead ORDER BY Owner.Name")
    assert [(r["Owner"]["Name"], r["Owner"]["Type"]) for r in records] == [
        ("Ann", "User"),
        ("Queue", "Group"),
    ]
    assert records[1]["Owner"]["attributes"] == {
        "type": "Name",
        "url": f"/services/data/v62.0/sobjects/Group/{queue}",
    }
    assert records[1]["Owner"]["Id"] == queue
    assert org.column("SELECT LastName FROM Lead WHERE Owner.Type = 'Group'") == ["Q"]
    assert org.column("SELECT LastName FROM Lead WHERE Owner.Name = 'Ann'") == ["Doe"]
    first, second = org.records(
        "SELECT TYPEOF What WHEN Account THEN AnnualRevenue, Name WHEN Lead THEN Email END, "
        "TYPEOF Who WHEN Contact THEN FirstName ELSE Name END FROM Task ORDER BY Subject"
    )
    assert first["What"]["AnnualRevenue"] == 2.0
    assert first["What"]["attributes"]["type"] == "Account"
    assert first["Who"] == {
        "attributes": {"type": "Lead", "url": f"/services/data/v62.0/sobjects/Lead/{lead}"},
        "Name": "Doe",
    }
    assert second["What"] is None
    assert second["Who"] is None


def test_labels(org: Any) -> None:
    org.add("Account", Name="a", Industry="Media")
    assert (
        org.records("SELECT toLabel(Industry), Name FROM Account")[0]["Industry"] == "Media label"
    )
    assert org.count("SELECT COUNT() FROM Account WHERE toLabel(Industry) = 'media LABEL'") == 1


def test_fields_function(org: Any) -> None:
    org.add("Account", Name="a")
    (everything,) = org.records("SELECT FIELDS(ALL) FROM Account LIMIT 200")
    assert set(everything) - {"attributes"} == {
        f.name for f in org.schema.sobjects["account"].fields.values()
    }
    (custom,) = org.records("SELECT Id, FIELDS(CUSTOM) FROM Account LIMIT 1")
    assert "Name" not in custom
    assert "Customer_Number__c" in custom
    (standard,) = org.records("SELECT FIELDS(STANDARD) FROM Account")
    assert "Customer_Number__c" not in standard
    org.add("Contact", LastName="x", Secret__c="hidden")
    assert "Secret__c" not in org.records("SELECT FIELDS(ALL) FROM Contact LIMIT 1")[0]
    with pytest.raises(SoqlError, match="must have a LIMIT of at most 200"):
        org.compile("SELECT FIELDS(ALL) FROM Account LIMIT 201")


def test_recycle_bin(org: Any) -> None:
    org.add("Account", Name="kept")
    org.add("Account", Name="gone", IsDeleted=1)
    assert org.column("SELECT Name FROM Account") == ["kept"]
    everything = ["gone", "kept"]
    assert org.column("SELECT Name FROM Account ORDER BY Name", include_deleted=True) == everything
    assert org.column("SELECT Name FROM Account ORDER BY Name ALL ROWS") == everything


def test_scope_mine(org: Any) -> None:
    me = org.add("User", Name="me")
    org.add("Account", Name="mine", OwnerId=me)
    org.add("Account", Name="other", OwnerId=org.add("User", Name="you"))
    assert org.column("SELECT Name FROM Account USING SCOPE mine") == ["mine"]
    assert len(org.column("SELECT Name FROM Account USING SCOPE everything")) == 2


def test_limit_offset_and_count(org: Any) -> None:
    for number in range(5):
        org.add("Account", Name=str(number))
    assert org.column("SELECT Name FROM Account ORDER BY Name LIMIT 2 OFFSET 2") == ["2", "3"]
    assert org.column("SELECT Name FROM Account ORDER BY Name OFFSET 4") == ["4"]
    assert org.count("SELECT COUNT() FROM Account LIMIT 3") == 3
    assert org.count("SELECT COUNT() FROM Account WHERE Name > '1'") == 3
    assert org.compile("SELECT COUNT() FROM Account").is_count


def test_csv(org: Any) -> None:
    owner = org.add("User", Name='A "quoted", name')
    account = org.add(
        "Account", Name="two\nlines", OwnerId=owner, Active__c=1, AnnualRevenue=5.0, CreatedDate=0
    )
    query = org.compile(
        "SELECT Owner.Name, Id, Owner.Email, Name, Active__c, AnnualRevenue, CreatedDate, Parent.Id"
        " FROM Account"
    )
    assert query.columns[:3] == ["Owner.Name", "Id", "Owner.Email"]
    assert query.csv_header() == (
        '"Owner.Name","Id","Owner.Email","Name","Active__c","AnnualRevenue","CreatedDate",'
        '"Parent.Id"\n'
    )
    ((line,),) = org.connection.execute(query.csv_sql(), query.params)
    assert line == (
        f'"A ""quoted"", name","{account}","","two\nlines","true","5.0",'
        '"1970-01-01T00:00:00.000Z",""\n'
    )
    ((line,),) = org.connection.execute(query.csv_sql("|", "\r\n"), query.params)
    assert line.startswith('"A ""quoted"", name"|"')
    assert line.endswith('"\r\n')


def test_csv_shows_plain_values_only(org: Any) -> None:
    for soql in (
        "SELECT BillingAddress FROM Account",
        "SELECT (SELECT Id FROM Contacts) FROM Account",
        "SELECT TYPEOF Who WHEN Lead THEN Id END FROM Task",
    ):
        with pytest.raises(ValueError, match="plain values"):
            org.compile(soql).csv_sql()


def test_many_fields_and_conditions_compile(org: Any) -> None:
    org.add("Account", Name="a")
    names = [f.name for f in org.schema.sobjects["account"].fields.values()]
    up = ["", "Parent.", "Parent.Parent.", "Parent.Parent.Parent.", "Parent.Parent.Parent.Parent."]
    fields = [path + name for path in up for name in names]
    assert len(org.records(f"SELECT {', '.join(fields)} FROM Account")) == 1
    many = " OR ".join(f"Name = '{number}'" for number in range(4000))
    assert org.records(f"SELECT Id FROM Account WHERE {many}") == []
    ids = ", ".join(f"'001Dn{number:010d}'" for number in range(4700))
    assert org.column(f"SELECT Name FROM Account WHERE Id IN ({ids})") == ["a"]


def _nested(depth: int) -> str:
    condition = "Name = 'a'"
    for level in range(depth):
        condition = f"{'Id != null AND' if level % 2 else 'Id = null OR'} ({condition})"
    return f"SELECT Name FROM Account WHERE {condition}"


def test_nesting_is_answered_or_refused(org: Any) -> None:
    org.add("Account", Name="a")
    for depth in range(1, 12):
        assert org.column(_nested(depth)) == ["a"]
    with pytest.raises(SoqlError) as refused:
        org.column(_nested(59))
    assert refused.value.code == "QUERY_TOO_COMPLICATED"


def test_lookups_beyond_a_polymorphic_one(org: Any) -> None:
    ann = org.add("User", Name="Ann", ProfileId=org.add("Profile", Name="Sales"))
    org.add("Lead", OwnerId=ann)
    org.add("Lead", OwnerId=org.add("Group", Name="Queue"))
    records = org.records("SELECT Owner.Profile.Name FROM Lead ORDER BY Owner.Profile.Name")
    assert records[0]["Owner"]["Profile"] is None
    assert records[1]["Owner"]["Profile"]["Name"] == "Sales"
