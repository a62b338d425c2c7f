from __future__ import annotations

import pytest
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Create, Direction, Field, Mapping, Match, Normalise, Parent, Side
from crosswalk.wire import StreamNote
from singer_runtime.destination import Attachment, Creation, Presence, Result, Write
from sweo_sandbox.salesforce import lifecycle
from target_salesforce.sinks import WriteSettings

NOTE = StreamNote(mapping="accounts", side="sweo", object="company")
TEXT = FieldType(Side.SWEO, "x", "string", length=255)
ACCOUNTS = Mapping(
    name="accounts",
    salesforce="Account",
    sweo="company",
    match=(Match("Customer_Number__c", "company_id"),),
    fields=(
        Field("Industry", "industry", Direction.BOTH),
        Field("Website", "website", Direction.TO_SALESFORCE),
    ),
    create={Side.SALESFORCE: Create.ALWAYS, Side.SWEO: Create.NEVER},
)
CONTACTS = Mapping(
    name="contacts",
    salesforce="Contact",
    sweo="contact",
    match=(Match("Sweo_Id__c", "external_id"), Match("Email", "email", Normalise.EMAIL)),
    fields=(Field("Phone", "phone", Direction.BOTH), Field("Name", "name", Direction.BOTH)),
    parent=Parent("AccountId", "accounts"),
    create={Side.SALESFORCE: Create.ALWAYS, Side.SWEO: Create.NEVER},
)


def _account(sandbox, number: int, **values):
    return sandbox.org.insert(
        "Account", {"Name": f"Acme {number}", "Customer_Number__c": f"C{number}", **values}
    )


def _calls(sandbox) -> dict[str, int]:
    return sandbox.calls("salesforce")["by_endpoint"]


def test_nothing_is_sent_before_it_is_asked(sandbox, destination) -> None:
    assert destination.calls() == 0
    assert sandbox.calls("salesforce")["total"] == 0


def test_prepare_gives_the_orgs_types(destination) -> None:
    types = destination.prepare(ACCOUNTS, NOTE, {"Industry": TEXT, "Website": TEXT})
    assert types["Industry"].type == "picklist"
    assert types["Website"].length == 255
    assert types["Customer_Number__c"].key
    assert destination.calls() == 1


def test_prepare_names_every_mistake_at_once(sandbox, destination) -> None:
    mapping = Mapping(
        name="accounts",
        salesforce="Account",
        sweo="company",
        match=(Match("Website", "website"),),
        fields=(),
        create={Side.SALESFORCE: Create.ALWAYS, Side.SWEO: Create.NEVER},
    )
    incoming = {"Industri": TEXT, "CreatedDate": TEXT, "BillingAddress": TEXT}
    with pytest.raises(FatalError) as caught:
        destination.prepare(mapping, NOTE, incoming)
    text = str(caught.value)
    assert "no field Industri" in text
    assert "did you mean Industry?" in text
    assert "CreatedDate is read-only" in text
    assert "BillingAddress" in text
    assert "external id and unique" in text


def test_update_writes_only_what_it_is_given(sandbox, destination) -> None:
    ids = [_account(sandbox, n, Industry="Energy", Website="a.test") for n in range(3)]
    writes = [Write(record_id, {"Industry": "Banking"}) for record_id in ids]
    outcomes = destination.update(ACCOUNTS, writes)
    assert [(o.result, o.id) for o in outcomes] == [(Result.WRITTEN, i) for i in ids]
    assert {sandbox.org.row("Account", i)["Industry"] for i in ids} == {"Banking"}
    assert {sandbox.org.row("Account", i)["Website"] for i in ids} == {"a.test"}
    assert _calls(sandbox)["PATCH /composite/sobjects"] == 1


def test_a_thousand_updates_are_one_call(sandbox, destination) -> None:
    ids = sandbox.org.bulk_load(
        "Account", [{"Name": f"A{i}", "Customer_Number__c": f"N{i}"} for i in range(1000)]
    )
    destination.prepare(ACCOUNTS, NOTE, {"Website": TEXT})
    before = destination.calls()
    outcomes = destination.update(ACCOUNTS, [Write(i, {"Website": "w.test"}) for i in ids])
    assert all(o.result is Result.WRITTEN for o in outcomes)
    assert [o.id for o in outcomes] == ids
    assert destination.calls() - before == 1


def test_one_bad_row_stops_no_other(sandbox, destination) -> None:
    good, gone, bad = (_account(sandbox, n) for n in range(3))
    sandbox.org.delete("Account", gone)
    outcomes = destination.update(
        ACCOUNTS,
        [
            Write(bad, {"Website": "x" * 300}),
            Write(gone, {"Website": "b.test"}),
            Write(good, {"Website": "c.test"}),
        ],
    )
    assert [o.result for o in outcomes] == [Result.REFUSED, Result.GONE, Result.WRITTEN]
    assert outcomes[0].error_code == "STRING_TOO_LONG"
    assert "Website" in outcomes[0].error_fields
    assert "xxx" not in (outcomes[0].error_message or "")
    assert outcomes[0].remedy


def test_a_value_of_the_wrong_kind_stops_no_other(sandbox, destination) -> None:
    ids = [_account(sandbox, n) for n in range(4)]
    writes = [Write(i, {"Seats__c": 5}) for i in ids]
    writes[2] = Write(ids[2], {"Seats__c": "many"})
    outcomes = destination.update(ACCOUNTS, writes)
    assert [o.result for o in outcomes].count(Result.WRITTEN) == 3
    assert outcomes[2].result is Result.REFUSED


def test_a_guarded_write_meets_a_newer_edit(sandbox, destination) -> None:
    first, second = _account(sandbox, 1), _account(sandbox, 2)
    readings = destination.read(ACCOUNTS, [first, second], ["Industry"])
    sandbox.advance(5)
    sandbox.org.update("Account", first, {"Industry": "Energy"})
    outcomes = destination.update(
        ACCOUNTS,
        [Write(i, {"Industry": "Banking"}, guard=readings[i].modified_at) for i in (first, second)],
    )
    assert [o.result for o in outcomes] == [Result.CHANGED, Result.WRITTEN]
    assert sandbox.org.row("Account", first)["Industry"] == "Energy"


def test_without_the_guard_collections_are_used(sandbox, destination) -> None:
    record_id = _account(sandbox, 1)
    destination.settings = WriteSettings(write_guard="none")
    write = Write(record_id, {"Industry": "Banking"}, guard="2000-01-01T00:00:00Z")
    assert destination.update(ACCOUNTS, [write])[0].result is Result.WRITTEN


def test_a_locked_row_is_tried_again(sandbox, destination) -> None:
    record_id = _account(sandbox, 1)
    sandbox.org.lock_row(record_id, 1)
    (outcome,) = destination.update(ACCOUNTS, [Write(record_id, {"Website": "a.test"})])
    assert outcome.result is Result.WRITTEN
    sandbox.org.lock_row(record_id, 99)
    (outcome,) = destination.update(ACCOUNTS, [Write(record_id, {"Website": "b.test"})])
    assert outcome.result is Result.NOT_SENT
    assert outcome.error_code == "UNABLE_TO_LOCK_ROW"


def test_writes_run_no_assignment_rules_unless_asked(sandbox, destination) -> None:
    leads = Mapping("leads", "Lead", "lead", (Match("Email", "email"),), ())
    record_id = sandbox.org.insert("Lead", {"LastName": "L", "Company": "C", "Email": "l@a.test"})
    owner = sandbox.org.row("Lead", record_id)["OwnerId"]
    destination.update(leads, [Write(record_id, {"Phone": "1"})])
    assert sandbox.org.row("Lead", record_id)["OwnerId"] == owner
    destination.settings = WriteSettings(assignment_rules=True)
    destination.update(leads, [Write(record_id, {"Phone": "2"})])
    assert sandbox.org.row("Lead", record_id)["OwnerId"] != owner


def test_read_tells_there_deleted_and_invisible_apart(sandbox, destination) -> None:
    there, deleted, hidden = (_account(sandbox, n, Industry="Energy") for n in range(3))
    sandbox.org.delete("Account", deleted)
    sandbox.org.hide_row(hidden)
    readings = destination.read(ACCOUNTS, [there, deleted, hidden], ["Industry", "Website"])
    assert [readings[i].presence for i in (there, deleted, hidden)] == [
        Presence.THERE,
        Presence.DELETED,
        Presence.INVISIBLE,
    ]
    assert readings[there].values == {"Industry": "Energy", "Website": None}
    assert readings[there].keys == ("C0",)
    assert readings[there].modified_at.endswith("Z")
    assert readings[there].read_at.endswith("Z")


def test_five_thousand_rows_are_read_in_one_call(sandbox, destination) -> None:
    ids = sandbox.org.bulk_load(
        "Account", [{"Name": f"A{i}", "Customer_Number__c": f"N{i}"} for i in range(5000)]
    )
    destination.prepare(ACCOUNTS, NOTE, {"Industry": TEXT})
    before = destination.calls()
    assert len(destination.read(ACCOUNTS, ids, ["Industry"])) == 5000
    assert destination.calls() - before == 1


def test_create_makes_people_with_their_parent(sandbox, destination) -> None:
    account = _account(sandbox, 1)
    creation = Creation(
        "s1", {"Name": "Mary Ann Smith", "Phone": "5"}, ("u1", "mary@a.test"), account
    )
    (outcome,) = destination.create(CONTACTS, [creation])
    assert outcome.result is Result.CREATED
    row = sandbox.org.row("Contact", outcome.id)
    assert (row["FirstName"], row["LastName"], row["AccountId"]) == ("Mary Ann", "Smith", account)
    assert (row["Sweo_Id__c"], row["Email"], row["Phone"]) == ("u1", "mary@a.test", "5")


def test_a_create_that_is_repeated_meets_its_own_row(sandbox, destination) -> None:
    creation = Creation("s1", {"Name": "Mary Smith"}, ("u1", None))
    (first,) = destination.create(CONTACTS, [creation])
    (second,) = destination.create(CONTACTS, [creation])
    assert second.result is Result.EXISTS
    assert second.id == first.id
    assert len(sandbox.org.rows("Contact", Sweo_Id__c="u1")) == 1


def test_creates_that_share_a_key_make_one_row(sandbox, destination) -> None:
    creations = [Creation(f"s{n}", {"Name": f"N {n}"}, ("U1" if n else "u1", None)) for n in (0, 1)]
    outcomes = destination.create(CONTACTS, creations)
    assert [o.result for o in outcomes] == [Result.CREATED, Result.EXISTS]
    assert outcomes[0].id == outcomes[1].id


def test_a_person_without_a_last_name_is_refused_without_a_call(sandbox, destination) -> None:
    destination.prepare(CONTACTS, NOTE, {"Phone": TEXT})
    before = destination.calls()
    creations = [
        Creation("s1", {"Phone": "5"}, ("u1", None)),
        Creation("s2", {"Name": "A"}, (None, None)),
    ]
    outcomes = destination.create(CONTACTS, creations)
    assert [o.result for o in outcomes] == [Result.REFUSED, Result.REFUSED]
    assert [o.error_fields for o in outcomes] == [("LastName",), ("Sweo_Id__c",)]
    assert destination.calls() == before


def test_a_persons_name_is_written_through_its_parts(sandbox, destination) -> None:
    record_id = sandbox.org.insert("Contact", {"FirstName": "A", "LastName": "B"})
    types = destination.prepare(CONTACTS, NOTE, {"Name": TEXT})
    assert types["Name"].writable
    destination.update(CONTACTS, [Write(record_id, {"Name": "Ada King Lovelace"})])
    reading = destination.read(CONTACTS, [record_id], ["Name"])[record_id]
    assert reading.values["Name"] == "Ada King Lovelace"


def test_find_looks_by_every_match_field(sandbox, destination) -> None:
    by_id = sandbox.org.insert("Contact", {"LastName": "L", "Sweo_Id__c": "u1"})
    by_email = sandbox.org.insert("Contact", {"LastName": "L", "Email": "Mary@A.test"})
    found = destination.find(
        CONTACTS,
        [
            Creation("s1", {}, ("u1", None)),
            Creation("s2", {}, ("u2", "mary@a.test")),
            Creation("s3", {}, ("u3", "nobody@a.test")),
        ],
    )
    assert {s: [c.id for c in cs] for s, cs in found.items()} == {"s1": [by_id], "s2": [by_email]}


def test_keys_are_all_rows_that_may_be_written(sandbox, destination) -> None:
    kept, deleted = _account(sandbox, 1), _account(sandbox, 2)
    sandbox.org.delete("Account", deleted)
    candidates = {c.id: c.keys for c in destination.keys(ACCOUNTS)}
    assert candidates[kept] == ("C1",)
    assert deleted not in candidates


def test_an_answer_that_is_lost_is_unknown_and_not_sent_again(sandbox, destination) -> None:
    record_id = _account(sandbox, 1)
    destination.prepare(ACCOUNTS, NOTE, {"Website": TEXT})
    sandbox.fault("salesforce", "reset_after", times=1, endpoint="PATCH *composite/sobjects*")
    (outcome,) = destination.update(ACCOUNTS, [Write(record_id, {"Website": "a.test"})])
    assert outcome.result is Result.UNKNOWN
    assert sandbox.org.row("Account", record_id)["Website"] == "a.test"


def test_memberships_are_refused(destination) -> None:
    with pytest.raises(FatalError):
        destination.attach(CONTACTS, [Attachment("a", "b", None)])


def test_a_large_update_goes_by_bulk_where_that_takes_fewer_calls(sandbox, destination) -> None:
    ids = sandbox.org.bulk_load(
        "Account", [{"Name": f"A{i}", "Customer_Number__c": f"N{i}"} for i in range(6500)]
    )
    destination.prepare(ACCOUNTS, NOTE, {"Website": TEXT})
    before = destination.calls()
    writes = [Write(i, {"Website": None if n % 2 else "w.test"}) for n, i in enumerate(ids)]
    writes[3] = Write(ids[3], {"Website": "x" * 300})
    writes[5] = Write(ids[5], {"Website": "#N/A"})
    outcomes = destination.update(ACCOUNTS, writes)
    assert [o.id for o in outcomes] == ids
    assert outcomes[3].result is Result.REFUSED
    assert outcomes[3].error_code == "STRING_TOO_LONG"
    assert {o.result for n, o in enumerate(outcomes) if n != 3} == {Result.WRITTEN}
    assert sandbox.org.row("Account", ids[5])["Website"] == "#N/A"
    assert sandbox.org.row("Account", ids[0])["Website"] == "w.test"
    assert destination.calls() - before <= 7


LEADS = Mapping(
    name="leads",
    salesforce="Lead",
    sweo="lead",
    match=(Match("Email", "email", Normalise.EMAIL),),
    fields=(Field("Phone", "phone", Direction.BOTH),),
    create={},
)


def _lead(sandbox, number: int) -> str:
    values = {"LastName": f"L{number}", "Company": "C", "Email": f"l{number}@x.test"}
    return sandbox.org.insert("Lead", values)


@pytest.mark.parametrize("read_first", [False, True])
@pytest.mark.parametrize("guard", [None, "2030-01-01T00:00:00Z"])
def test_a_converted_lead_is_never_written(sandbox, destination, read_first, guard) -> None:
    converted, open_lead = _lead(sandbox, 1), _lead(sandbox, 2)
    lifecycle.convert_lead(sandbox.org, converted)
    destination.prepare(LEADS, NOTE, {"Phone": TEXT})
    if read_first:
        destination.read(LEADS, [converted, open_lead], ["Phone"])
    before = destination.calls()
    writes = [Write(i, {"Phone": "+441"}, guard) for i in (converted, open_lead)]
    refused, written = destination.update(LEADS, writes)
    assert (refused.result, refused.error_code) == (Result.REFUSED, "CANNOT_UPDATE_CONVERTED_LEAD")
    assert "never written" in refused.remedy
    assert written.result is Result.WRITTEN
    assert sandbox.org.row("Lead", converted)["Phone"] is None
    assert destination.calls() - before == (1 if read_first else 2)


def test_a_converted_lead_is_no_candidate(sandbox, destination) -> None:
    converted, open_lead = _lead(sandbox, 1), _lead(sandbox, 2)
    lifecycle.convert_lead(sandbox.org, converted)
    assert [candidate.id for candidate in destination.keys(LEADS)] == [open_lead]
    asked = [Creation("s1", {}, ("l1@x.test",)), Creation("s2", {}, ("l2@x.test",))]
    assert list(destination.find(LEADS, asked)) == ["s2"]


def _add_field(sandbox, sobject: str, **facts) -> None:
    org = sandbox.org
    with org.store.transaction():
        org.schema_add_field(sobject, {"label": facts["name"], "updateable": True, **facts})
        org.store.create_table(org.schema.sobjects[sobject.lower()])
    org.schema_changed()


@pytest.mark.parametrize(
    "facts",
    [
        {"type": "encryptedstring", "length": 80},
        {"type": "string", "length": 80, "encrypted": True},
    ],
)
def test_an_encrypted_field_is_neither_written_nor_matched_by(sandbox, destination, facts) -> None:
    _add_field(sandbox, "Account", name="Secret__c", createable=True, **facts)
    mapping = Mapping(
        name="accounts",
        salesforce="Account",
        sweo="company",
        match=(Match("Secret__c", "company_id"),),
        fields=(Field("Secret__c", "secret", Direction.TO_SALESFORCE),),
        create={},
    )
    with pytest.raises(FatalError) as caught:
        destination.prepare(mapping, NOTE, {"Secret__c": TEXT})
    text = str(caught.value)
    assert "Secret__c is encrypted, so it is only read" in text
    assert "no record can be matched by it" in text


def test_a_person_account_is_no_candidate(sandbox, destination) -> None:
    facts = {"createable": True, "nillable": False}
    _add_field(sandbox, "Account", name="IsPersonAccount", type="boolean", **facts)
    business = _account(sandbox, 1)
    _account(sandbox, 2, IsPersonAccount=True)
    assert [candidate.id for candidate in destination.keys(ACCOUNTS)] == [business]
    asked = [Creation(f"s{n}", {}, (f"C{n}",)) for n in (1, 2)]
    assert list(destination.find(ACCOUNTS, asked)) == ["s1"]
