from __future__ import annotations

import pytest


def test_a_company_is_made_then_updated_under_the_same_company_id(client, side):
    made = client.company("c1", name="Acme", plan="Pro", monthly_spend=155.98)
    side.clock.advance(5)
    changed = client.company("c1", name="Acme Ltd")
    assert changed["id"] == made["id"]
    assert changed["created_at"] == made["created_at"]
    assert changed["updated_at"] == made["updated_at"] + 5
    assert changed["name"] == "Acme Ltd"
    assert changed["plan"]["name"] == "Pro"
    assert changed["monthly_spend"] == 155
    assert changed["app_id"] == "sweosbx1"


def test_get_by_company_id_and_by_name_give_the_bare_company(client):
    made = client.company("c1", name="Acme")
    assert client.ok("GET", "/companies?company_id=c1") == made
    assert client.ok("GET", "/companies?name=Acme") == made
    assert client.ok("GET", f"/companies/{made['id']}") == made
    assert client.error("GET", "/companies?company_id=c2")[:2] == (404, "company_not_found")


def test_put_takes_no_company_id(client):
    made = client.company("c1")
    refusal = client.error("PUT", f"/companies/{made['id']}", json={"company_id": "c2"})
    assert refusal == (400, "bad_request", "bad 'company_id' parameter")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x"}, "parameter_not_found"),
        ({"company_id": " "}, "parameter_invalid"),
        ({"company_id": "c", "test": 1}, "bad_request"),
        ({"company_id": "c", "size": "many"}, "parameter_invalid"),
        ({"company_id": "c", "size": True}, "parameter_invalid"),
        ({"company_id": "c", "monthly_spend": 2**31}, "parameter_invalid"),
        ({"company_id": "c", "name": "n" * 256}, "parameter_invalid"),
        ({"company_id": "c", "remote_created_at": "yesterday"}, "parameter_invalid"),
        ({"company_id": "c", "custom_attributes": ["x"]}, "parameter_invalid"),
    ],
)
def test_a_wrong_body_is_refused_and_nothing_is_made(client, body, code):
    assert client.error("POST", "/companies", json=body)[:2] == (400, code)
    assert client.request("GET", "/companies?company_id=c").status_code == 404


def test_an_unknown_custom_attribute_is_named(client):
    body = {"company_id": "c", "custom_attributes": {"tier": "gold"}}
    assert client.error("POST", "/companies", json=body) == (
        400,
        "parameter_invalid",
        "Custom attribute 'tier' does not exist",
    )


def test_a_company_without_contacts_is_in_no_list_but_can_be_read(client, side):
    company = client.company("c1")
    preview = {"Intercom-Version": "Preview"}
    search = {"query": {"field": "company_id", "operator": "=", "value": "c1"}}

    def seen():
        side.state.scroll.close()
        return [
            len(client.ok("POST", "/companies/list")["data"]),
            len(client.ok("GET", "/companies/scroll")["data"]),
            len(client.ok("POST", "/companies/search", json=search, headers=preview)["data"]),
        ]

    assert seen() == [0, 0, 0]
    assert client.ok("GET", "/companies?company_id=c1")["id"] == company["id"]
    contact = client.contact(email="a@b.example")
    client.attach(contact, company)
    assert seen() == [1, 1, 1]
    client.ok("DELETE", f"/contacts/{contact['id']}/companies/{company['id']}")
    assert seen() == [0, 0, 0]


def test_delete_detaches_and_makes_the_company_id_free(client):
    company, contact = client.company("c1"), client.contact(email="a@b.example")
    client.attach(contact, company)
    gone = client.ok("DELETE", f"/companies/{company['id']}")
    assert gone == {"id": company["id"], "object": "company", "deleted": True}
    assert client.request("GET", f"/companies/{company['id']}").status_code == 404
    shown = client.ok("GET", f"/contacts/{contact['id']}")
    assert shown["companies"]["total_count"] == 0
    assert client.company("c1")["id"] != company["id"]


def test_the_list_goes_by_last_request_and_ends_at_ten_thousand(client, side):
    contact = client.contact(email="a@b.example")
    for number in range(3):
        side.clock.advance(1)
        client.attach(contact, client.company(f"c{number}", update_last_request_at=True))
    page = client.ok("POST", "/companies/list?per_page=2")
    assert [c["company_id"] for c in page["data"]] == ["c2", "c1"]
    assert page["pages"]["next"] == {"page": 2, "per_page": 2}
    assert page["total_count"] == 3
    ascending = client.ok("POST", "/companies/list?order=asc")
    assert [c["company_id"] for c in ascending["data"]] == ["c0", "c1", "c2"]
    refusal = client.error("POST", "/companies/list?page=1000&per_page=15")
    assert refusal[2] == "page limit reached, please use scroll API"


def test_scroll_gives_each_company_once_then_an_empty_page(client, workspace):
    workspace.settings.scroll_page_size = 2
    contact = client.contact(email="a@b.example")
    for number in range(5):
        client.attach(contact, client.company(f"c{number}"))
    page = client.ok("GET", "/companies/scroll")
    seen = [c["company_id"] for c in page["data"]]
    while page["data"]:
        page = client.ok("GET", f"/companies/scroll?scroll_param={page['scroll_param']}")
        seen += [c["company_id"] for c in page["data"]]
    assert sorted(seen) == [f"c{number}" for number in range(5)]
    ended = client.error("GET", f"/companies/scroll?scroll_param={page['scroll_param']}")
    assert ended[:2] == (404, "not_found")


def test_one_scroll_per_workspace_until_a_minute_of_rest(client, side):
    client.attach(client.contact(email="a@b.example"), client.company("c1"))
    param = client.ok("GET", "/companies/scroll")["scroll_param"]
    side.clock.advance(59)
    assert client.error("GET", "/companies/scroll")[:2] == (400, "scroll_exists")
    side.clock.advance(2)
    over = client.error("GET", f"/companies/scroll?scroll_param={param}")
    assert over[:2] == (404, "not_found")
    client.ok("GET", "/companies/scroll")


def test_companies_can_be_switched_off(client, workspace):
    workspace.settings.switch({"companies_enabled": False})
    assert client.error("POST", "/companies/list")[:2] == (403, "companies_disabled")
