from __future__ import annotations

import pytest

PREVIEW = {"Intercom-Version": "Preview"}


def test_a_contact_carries_what_the_contract_says(client):
    made = client.contact(email="Joe@Example.com", external_id="70", name="Joe")
    assert made["role"] == "user"
    assert made["workspace_id"] == "sweosbx1"
    assert made["email"] == "Joe@Example.com"
    assert made["email_domain"] == "Example.com"
    assert made["created_at"] == made["updated_at"] == 1_790_000_000
    assert made["companies"] == {
        "type": "list",
        "data": [],
        "url": f"/contacts/{made['id']}/companies",
        "total_count": 0,
        "has_more": False,
    }
    assert client.ok("GET", f"/contacts/{made['id']}") == made
    assert client.ok("GET", "/contacts/find_by_external_id/70") == made


@pytest.mark.parametrize(
    "body",
    [
        {"name": "nobody"},
        {"role": "admin"},
        {"email": "no address"},
        {"email": "a@b.example", "phone": 5},
        {"email": "a@b.example", "nickname": "x"},
        {"email": "a@b.example", "signed_up_at": "2020"},
        {"external_id": "1", "email_verified": True},
        {"email": "a@b.example", "custom_attributes": {"unknown": 1}},
        {"email": "a@b.example", "name": "n" * 256},
    ],
)
def test_a_wrong_body_is_refused(client, body):
    assert client.error("POST", "/contacts", json=body)[0] == 400
    assert client.ok("GET", "/contacts")["total_count"] == 0


def test_a_duplicate_answers_409_and_names_the_contact(client):
    made = client.contact(email="a@b.example", external_id="1")
    expected = (409, "conflict")
    text = f"A contact matching those details already exists with id={made['id']}"
    assert client.error("POST", "/contacts", json={"email": "A@B.example"}) == (*expected, text)
    assert client.error("POST", "/contacts", json={"external_id": "1"}) == (*expected, text)
    other = client.contact(email="c@d.example")
    refusal = client.error("PUT", f"/contacts/{other['id']}", json={"email": "a@b.example"})
    assert refusal == (*expected, text)
    client.ok("POST", f"/contacts/{made['id']}/archive")
    assert client.error("POST", "/contacts", json={"external_id": "1"}) == (
        *expected,
        f"An archived contact matching those details already exists with id={made['id']}",
    )


def test_leads_may_share_an_email_and_have_no_external_lookup(client):
    first = client.contact(email="a@b.example", role="lead")
    second = client.contact(email="a@b.example", role="lead", external_id="9")
    assert first["id"] != second["id"]
    assert client.error("GET", "/contacts/find_by_external_id/9")[0] == 404
    client.contact(email="a@b.example")


def test_a_lead_becomes_a_user_unless_one_has_its_email(client):
    lead = client.contact(role="lead", email="a@b.co", name="Lea")
    changed = client.ok("PUT", f"/contacts/{lead['id']}", json={"role": "user"})
    assert (changed["id"], changed["role"], changed["email"]) == (lead["id"], "user", "a@b.co")
    second = client.contact(role="lead", email="a@b.co")
    path = f"/contacts/{second['id']}"
    status, code, message = client.error("PUT", path, json={"role": "user"})
    assert (status, code) == (409, "conflict")
    assert lead["id"] in message
    assert client.ok("GET", path)["role"] == "lead"
    key = {"role": "user", "external_id": "u1", "email": "b@b.co"}
    assert client.ok("PUT", path, json=key)["external_id"] == "u1"
    status, code, _ = client.error("PUT", path, json={"role": "lead"})
    assert status == 400


def test_updates_move_updated_at_and_null_empties(client, side):
    made = client.contact(email="a@b.example", phone="+1")
    side.clock.advance(3)
    changed = client.ok("PUT", f"/contacts/{made['id']}", json={"phone": None, "name": "Al"})
    assert (changed["phone"], changed["name"]) == (None, "Al")
    assert changed["updated_at"] == made["updated_at"] + 3


def test_archived_and_deleted_contacts_answer_404(client):
    archived, deleted = client.contact(email="a@b.example"), client.contact(email="c@d.example")
    assert client.ok("POST", f"/contacts/{archived['id']}/archive")["archived"] is True
    assert client.error("GET", f"/contacts/{archived['id']}") == (
        404,
        "not_found",
        "User Not Found",
    )
    assert client.ok("GET", "/contacts")["total_count"] == 1
    assert client.ok("POST", f"/contacts/{archived['id']}/unarchive")["archived"] is False
    assert client.ok("GET", f"/contacts/{archived['id']}")["email"] == "a@b.example"
    assert client.ok("DELETE", f"/contacts/{deleted['id']}")["deleted"] is True
    for method in ("GET", "DELETE"):
        assert client.error(method, f"/contacts/{deleted['id']}")[0] == 404


def test_merge_moves_everything_and_leaves_410_with_the_canonical_address(client, side):
    lead = client.contact(email="a@b.example", role="lead", phone="+44")
    user = client.contact(email="a@b.example")
    company = client.company("c1")
    client.attach(lead, company)
    side.clock.advance(1)
    merged = client.ok("POST", "/contacts/merge", json={"from": lead["id"], "into": user["id"]})
    assert merged["phone"] == "+44"
    assert merged["companies"]["data"][0]["id"] == company["id"]
    assert merged["updated_at"] == user["updated_at"] + 1
    response = client.request("GET", f"/contacts/{lead['id']}")
    assert response.status_code == 410
    assert response.json()["errors"][0]["code"] == "contact_merged"
    assert response.headers["Link"] == f'</contacts/{user["id"]}>; rel="canonical"'
    query = {"field": "email", "operator": "=", "value": "a@b.example"}
    assert [c["id"] for c in client.search(query)["data"]] == [user["id"]]
    history = client.ok("GET", f"/contacts/{user['id']}?include_merge_history=true")
    assert history["merge_history"][0]["source_contact_id"] == lead["id"]


def test_a_merge_wants_a_lead_a_user_and_a_duplicate(client):
    lead = client.contact(email="a@b.example", role="lead")
    user = client.contact(email="c@d.example")
    pair = {"from": lead["id"], "into": user["id"]}
    turned = {"from": user["id"], "into": lead["id"]}
    assert client.error("POST", "/contacts/merge", json=turned)[1] == "invalid_merge"
    assert client.error("POST", "/contacts/merge", json=pair)[1] == "invalid_merge"
    client.ok("POST", "/contacts/merge", json=pair, headers={"Intercom-Version": "2.15"})


def test_a_contact_shows_ten_companies_and_says_that_there_are_more(client):
    contact = client.contact(email="a@b.example")
    for number in range(12):
        client.attach(contact, client.company(f"c{number}"))
    shown = client.ok("GET", f"/contacts/{contact['id']}")["companies"]
    assert len(shown["data"]) == 10
    assert (shown["total_count"], shown["has_more"]) == (12, True)
    page = client.ok("GET", f"/contacts/{contact['id']}/companies?per_page=5&page=3")
    assert [c["company_id"] for c in page["data"]] == ["c10", "c11"]
    assert page["companies"] == page["data"]


def test_memberships_move_both_records(client, side):
    contact, company = client.contact(email="a@b.example"), client.company("c1")
    side.clock.advance(2)
    client.attach(contact, company)
    assert client.ok("GET", f"/contacts/{contact['id']}")["updated_at"] == 1_790_000_002
    shown = client.ok("GET", f"/companies/{company['id']}")
    assert (shown["updated_at"], shown["user_count"]) == (1_790_000_002, 1)
    side.clock.advance(2)
    client.attach(contact, company)
    assert client.ok("GET", f"/contacts/{contact['id']}")["updated_at"] == 1_790_000_002
    path = f"/contacts/{contact['id']}/companies"
    assert client.error("POST", path, json={})[1] == "parameter_not_found"
    assert client.error("POST", path, json={"id": "nope"})[1] == "company_not_found"
    client.ok("DELETE", f"{path}/{company['id']}")
    assert client.error("DELETE", f"{path}/{company['id']}")[1] == "company_not_found"


def test_activities_tell_the_story_oldest_first(client):
    lead = client.contact(email="a@b.example", role="lead")
    user = client.contact(email="a@b.example", external_id="7")
    client.ok("POST", "/contacts/merge", json={"from": lead["id"], "into": user["id"]})
    client.ok("DELETE", f"/contacts/{user['id']}")
    assert client.error("GET", "/contacts/activities")[0] == 404
    seen, after = [], ""
    while True:
        page = client.ok("GET", f"/contacts/activities?per_page=1{after}", headers=PREVIEW)
        seen += page["data"]
        if "next" not in page["pages"]:
            break
        after = f"&starting_after={page['pages']['next']['starting_after']}"
    assert [entry["event_type"] for entry in seen] == [
        "contact.created",
        "contact.created",
        "contact.merged",
        "contact.deleted",
    ]
    assert seen[2]["merge_source_id"] == lead["id"]
