from __future__ import annotations

from pathlib import Path

import pytest
from crosswalk.errors import FatalError
from crosswalk.loader import load_config
from crosswalk.mapping import Create, Direction, Match, Normalise, Parent, Policy, Side
from crosswalk.problems import MappingErrors

GOOD = """\
annotations:
  sweo:
    ledger: sqlite:///$MELTANO_PROJECT_ROOT/here.db
    mappings:
    - name: accounts
      salesforce: Account
      sweo: company
      match: {salesforce: Customer_Number__c, sweo: company_id}
      create: [sweo]
      conflict: newest
      fields:
      - {salesforce: Name, sweo: name}
      - {salesforce: Industry, sweo: industry, direction: both}
      - {salesforce: Owner.Email, sweo: Account owner}
    - name: contacts
      salesforce: Contact
      sweo: contact
      match:
      - {salesforce: Sweo_Id__c, sweo: external_id}
      - {salesforce: Email, sweo: email, normalise: email}
      create: {sweo: always, salesforce: import}
      parent: {salesforce: AccountId, mapping: accounts}
      on_rematch: unlink
      enabled: false
      fields:
      - {salesforce: Phone, sweo: phone, direction: to_salesforce, create: true}
"""


def account(**changes: object) -> dict[str, object]:
    mapping: dict[str, object] = {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
        "fields": [{"salesforce": "Name", "sweo": "name"}],
    }
    mapping.update(changes)
    return {key: value for key, value in mapping.items() if value is not None}


def contact(**changes: object) -> dict[str, object]:
    return account(
        **{
            "name": "contacts",
            "salesforce": "Contact",
            "sweo": "contact",
            "match": {"salesforce": "Email", "sweo": "email"},
            **changes,
        }
    )


def mistakes(*mappings: object) -> list[str]:
    with pytest.raises(MappingErrors) as caught:
        load_config(mappings=list(mappings), environ={})
    return [str(mistake) for mistake in caught.value.mistakes]


def test_everything_declared_arrives(tmp_path: Path) -> None:
    (tmp_path / "meltano.yml").write_text(GOOD)
    config = load_config(environ={"MELTANO_PROJECT_ROOT": str(tmp_path)})
    accounts, contacts = config.mappings
    assert accounts.match == (Match("Customer_Number__c", "company_id"),)
    assert accounts.create == {Side.SALESFORCE: Create.NEVER, Side.SWEO: Create.ALWAYS}
    assert accounts.conflict is Policy.NEWEST
    assert [f.direction for f in accounts.fields if not f.implied] == [
        Direction.TO_SWEO,
        Direction.BOTH,
        Direction.TO_SWEO,
    ]
    assert accounts.line == 5
    assert accounts.fields[1].line == 13
    assert contacts.match == (
        Match("Sweo_Id__c", "external_id"),
        Match("Email", "email", Normalise.EMAIL),
    )
    assert contacts.create == {Side.SALESFORCE: Create.IMPORT, Side.SWEO: Create.ALWAYS}
    assert contacts.parent == Parent("AccountId", "accounts")
    assert contacts.fields[0].create
    assert not contacts.enabled
    assert config.enabled == (accounts,)
    assert config.file == str(tmp_path / "meltano.yml")
    assert config.ledger_url == f"sqlite:///{tmp_path}/here.db"


def test_where_the_ledger_is(tmp_path: Path) -> None:
    root = {"MELTANO_PROJECT_ROOT": str(tmp_path)}
    assert load_config(environ={}).ledger_url is None
    assert load_config(environ=root).ledger_url == f"sqlite:///{tmp_path}/ledger/default.db"
    named = load_config(environ={**root, "MELTANO_ENVIRONMENT": "prod"})
    assert named.ledger_url == f"sqlite:///{tmp_path}/ledger/prod.db"
    (tmp_path / "meltano.yml").write_text(GOOD)
    told = load_config(environ={**root, "SWEO_LEDGER_URL": "postgresql://db/sweo"})
    assert told.ledger_url == "postgresql://db/sweo"
    inline = load_config(mappings=[account()], environ=root)
    assert inline.ledger_url == f"sqlite:///{tmp_path}/here.db"
    assert [m.name for m in inline.mappings] == ["accounts"]
    assert inline.file is None


def test_a_ledger_that_is_no_url_is_named_without_its_text(tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text("mappings: []\nledger: hunter2\n")
    with pytest.raises(MappingErrors, match="ledger is not a database URL") as caught:
        load_config(str(tmp_path / "f.yml"), environ={})
    assert "hunter2" not in str(caught.value)


def test_a_file_with_mappings_at_its_top(tmp_path: Path) -> None:
    body = GOOD.split("    mappings:\n")[1]
    path = tmp_path / "fields.yml"
    path.write_text("mappings:\n" + "\n".join(line[4:] for line in body.splitlines()))
    config = load_config(str(path), environ={})
    assert [m.name for m in config.mappings] == ["accounts", "contacts"]
    relative = load_config("fields.yml", environ={"MELTANO_PROJECT_ROOT": str(tmp_path)})
    assert relative.mappings == config.mappings


def test_no_mappings_is_no_mistake_unless_a_file_was_named(tmp_path: Path) -> None:
    path = tmp_path / "meltano.yml"
    path.write_text("version: 1\n")
    assert load_config(environ={"MELTANO_PROJECT_ROOT": str(tmp_path)}).mappings == ()
    with pytest.raises(MappingErrors, match="no field configs"):
        load_config(str(path), environ={})
    with pytest.raises(FatalError, match="mapping_file"):
        load_config(str(tmp_path / "absent.yml"), environ={})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mappings: [\n", "not YAML"),
        ("mappings:\n- name: a\n  name: b\n", "a key stands twice"),
        ("annotations: {sweo: 3}\n", "annotations.sweo is not a map"),
        ("mappings: {a: b}\n", "mappings is not a list"),
        ("annotations: {sweo: {mapings: []}}\n", "did you mean mappings?"),
    ],
)
def test_files_that_are_wrong_as_a_whole(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "f.yml"
    path.write_text(text)
    with pytest.raises(MappingErrors) as caught:
        load_config(str(path), environ={})
    assert expected in str(caught.value)
    assert f"{path}:" in str(caught.value)


def test_every_mistake_is_reported_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "meltano.yml"
    path.write_text(
        GOOD.replace("sweo: company\n", "sweo: compny\n")
        .replace("conflict: newest", "conflict: newst")
        .replace("direction: both", "directon: both")
        .replace("mapping: accounts", "mapping: acounts")
    )
    with pytest.raises(MappingErrors) as caught:
        load_config(environ={"MELTANO_PROJECT_ROOT": str(tmp_path)})
    assert str(caught.value).splitlines() == [
        "The field configs have 4 mistakes:",
        f"  {path}:7: mapping accounts: unknown Sweo object compny; did you mean company?",
        f"  {path}:10: mapping accounts: unknown conflict newst; did you mean newest?",
        (
            f"  {path}:13: mapping accounts, field Industry: unknown setting directon; "
            "did you mean direction?"
        ),
        f"  {path}:15: mapping contacts: the parent acounts is no mapping; did you mean accounts?",
    ]


FIELD = {"salesforce": "Name", "sweo": "name"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"match": None}, "no match field"),
        ({"match": []}, "no match field"),
        ({"match": "Email"}, "not a pair of fields"),
        ({"match": {"salesforce": "Email"}}, "sweo is missing"),
        ({"match": {"salesforce": "Owner.Email", "sweo": "email"}}, "belongs to a related record"),
        ({"match": {"salesforce": "E", "sweo": "e", "normalise": "mail"}}, "did you mean email?"),
        ({"match": [{"salesforce": "E", "sweo": "e"}] * 2}, "stands twice"),
        ({"salesforce": "Account WHERE 1=1"}, "not the API name of a Salesforce object"),
        ({"salesforce": None}, "salesforce is missing"),
        ({"sweo": "companies"}, "did you mean company?"),
        ({"name": "two words"}, "cannot be the name of a mapping"),
        ({"fields": [], "defaults": False}, "no fields"),
        ({"fields": None, "salesforce": "Invoice__c"}, "no fields"),
        ({"fields": "Name"}, "fields is not a list"),
        ({"defaults": "no"}, "defaults is true or false"),
        ({"fields": ["Name"]}, "a field is not a map"),
        ({"fields": [{"salesforce": "Name"}]}, "sweo is missing"),
        ({"fields": [{"salesforce": "a'b", "sweo": "x"}]}, "not the API name of a Salesforce"),
        ({"fields": [{"salesforce": "A..B", "sweo": "x"}]}, "not the API name of a Salesforce"),
        ({"fields": [{"salesforce": "A.B.C.D.E.F.G", "sweo": "x"}]}, "over 6 relationships"),
        ({"fields": [{"salesforce": "A", "sweo": "x\ny"}]}, "name of a Sweo attribute"),
        ({"fields": [{**FIELD, "direction": "to_swoe"}]}, "did you mean to_sweo?"),
        ({"fields": [{**FIELD, "create": "maybe"}]}, "create is true or false"),
        (
            {"fields": [{"salesforce": "Owner.Email", "sweo": "o", "direction": "both"}]},
            "its direction is to_sweo",
        ),
        (
            {"fields": [FIELD, {"salesforce": "Site", "sweo": "name"}]},
            "two fields flow into name of Sweo: Name and Site",
        ),
        (
            {
                "fields": [
                    {**FIELD, "direction": "both"},
                    {"salesforce": "NAME", "sweo": "title", "direction": "to_salesforce"},
                ]
            },
            "two fields flow into NAME of Salesforce: name and title",
        ),
        (
            {"fields": [FIELD, {**FIELD, "direction": "to_salesforce"}]},
            "write one line with direction: both",
        ),
        ({"create": "sweo"}, "create is neither a list nor a map"),
        ({"create": ["swoe"]}, "unknown side swoe"),
        ({"create": {"sweo": "sometimes"}}, "unknown sweo sometimes"),
        ({"create": {"swoe": "never"}}, "unknown setting swoe"),
        ({"conflict": "oldest"}, "unknown conflict oldest"),
        ({"first_meeting": "newest"}, "unknown first_meeting"),
        ({"on_delete": "delete"}, "unknown on_delete"),
        ({"on_rematch": "break"}, "unknown on_rematch"),
        ({"enabled": "yes"}, "enabled is true or false"),
        ({"parent": {"salesforce": "ParentId", "mapping": "accounts"}}, "has no parent in Sweo"),
        ({"feilds": []}, "did you mean fields?"),
    ],
)
def test_one_mistake_of_shape(changes: dict[str, object], expected: str) -> None:
    found = mistakes(account(**changes))
    assert len(found) == 1, found
    assert expected in found[0]
    assert found[0].startswith("the setting mappings: mapping ")


def test_mistakes_between_mappings() -> None:
    (twice,) = mistakes(account(), account())
    assert "two mappings are called accounts" in twice
    parent = {"salesforce": "ReportsToId", "mapping": "contacts"}
    (cycle,) = mistakes(contact(parent=parent))
    assert "lead back to itself" in cycle
    (person,) = mistakes(contact(), contact(name="leads", sweo="lead", parent=parent))
    assert "a parent is a mapping of companies" in person
    (related,) = mistakes(
        account(), contact(parent={"salesforce": "Account.ParentId", "mapping": "accounts"})
    )
    assert "belongs to a related record" in related


def test_a_broken_parent_is_not_reported_a_second_time() -> None:
    parent = {"salesforce": "AccountId", "mapping": "accounts"}
    found = mistakes(account(sweo="compny"), contact(parent=parent))
    assert len(found) == 1


def test_fields_in_opposite_directions_may_share_a_name() -> None:
    fields = [
        {"salesforce": "Name", "sweo": "name"},
        {"salesforce": "Product_Name__c", "sweo": "name", "direction": "to_salesforce"},
    ]
    config = load_config(mappings=[account(fields=fields, defaults=False)], environ={})
    assert len(config.mappings[0].fields) == 2


def test_what_is_no_mapping_at_all() -> None:
    assert "a mapping is a map" in mistakes("accounts")[0]
