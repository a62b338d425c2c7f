from __future__ import annotations

NOW = 1_790_000_000


def event(**more):
    return {"event_name": "did-it", "created_at": NOW - 10, **more}


def test_events_are_kept_once_per_contact_name_and_second(client):
    user = client.contact(email="a@b.example", external_id="7")
    metadata = {f"k{number}": number for number in range(12)}
    for _ in range(2):
        answer = client.request("POST", "/events", json=event(user_id="7", metadata=metadata))
        assert (answer.status_code, answer.content) == (202, b"")
    listed = client.ok("GET", "/events?type=user&user_id=7")
    assert len(listed["events"]) == 1
    assert listed["events"][0]["id"] == user["id"]
    assert len(listed["events"][0]["metadata"]) == 10
    summary = client.ok("GET", f"/events?type=user&intercom_user_id={user['id']}&summary=true")
    assert summary["events"][0]["count"] == 1


def test_leads_are_found_by_id_only(client):
    lead = client.contact(email="a@b.example", role="lead")
    refusal = client.error("POST", "/events", json=event(email="a@b.example"))
    assert refusal == (404, "not_found", "User Not Found")
    assert client.request("POST", "/events", json=event(id=lead["id"])).status_code == 202


def test_event_pages_follow_by_address_and_end_after_90_days(client):
    user = client.contact(email="a@b.example", external_id="7")
    for number in range(5):
        body = event(user_id="7", created_at=NOW - number)
        client.request("POST", "/events", json=body)
    old = event(user_id="7", created_at=NOW - 91 * 86_400)
    client.request("POST", "/events", json=old)
    times, address = [], f"/events?type=user&intercom_user_id={user['id']}&per_page=2"
    while address:
        page = client.ok("GET", address)
        times += [e["created_at"] for e in page["events"]]
        address = page["pages"]["next"]
    assert times == [NOW - number for number in range(5)]


def test_wrong_events_are_refused(client):
    client.contact(email="a@b.example", external_id="7")
    for body in ({"user_id": "7"}, event(), event(user_id="7", metadata=[1]), event(user_id="8")):
        assert client.error("POST", "/events", json=body)[0] in (400, 404)
    assert client.error("GET", "/events?type=lead&user_id=7")[0] == 400


def test_tags_by_list_and_one_by_one(client):
    contact, company = client.contact(email="a@b.example"), client.company("c1")
    made = client.ok("POST", "/tags", json={"name": "VIP", "companies": [{"company_id": "c1"}]})
    assert made["companies"] == [{"id": company["id"], "tagged": True}]
    assert client.ok("GET", f"/companies/{company['id']}")["tags"]["tags"][0]["name"] == "VIP"
    path = f"/contacts/{contact['id']}/tags"
    assert client.ok("POST", path, json={"id": made["id"]})["applied_at"] == NOW
    assert [t["id"] for t in client.ok("GET", path)["data"]] == [made["id"]]
    query = {"field": "tag_id", "operator": "=", "value": made["id"]}
    assert [c["id"] for c in client.search(query)["data"]] == [contact["id"]]
    client.ok("DELETE", f"{path}/{made['id']}")
    assert client.search(query)["data"] == []
    body = {"name": "vip", "companies": [{"id": company["id"], "untag": True}]}
    assert client.ok("POST", "/tags", json=body)["id"] == made["id"]
    assert client.ok("GET", f"/companies/{company['id']}")["tags"]["tags"] == []
    assert client.error("POST", "/tags", json={})[2] == "invalid tag parameters"
    assert client.error("GET", "/tags/99")[0] == 404


def test_notes_hang_on_one_record(client):
    contact, company = client.contact(email="a@b.example"), client.company("c1")
    for path, kind in (
        (f"/contacts/{contact['id']}", "contact"),
        (f"/companies/{company['id']}", "company"),
    ):
        note = client.ok("POST", f"{path}/notes", json={"body": "Hello"})
        assert note["body"] == "<p>Hello</p>"
        assert note[kind]["id"]
        assert client.ok("GET", f"{path}/notes")["data"] == [note]
        assert client.error("POST", f"{path}/notes", json={})[0] == 400
        unknown = client.error("POST", f"{path}/notes", json={"body": "x", "admin_id": "1"})
        assert unknown == (404, "not_found", "Resource Not Found")
    assert client.ok("GET", f"/contacts/{contact['id']}")["notes"]["total_count"] == 1


def test_segments_are_computed_as_values_change(client, workspace, side):
    client.attribute("contact", "nps", "integer")
    query = {"field": "custom_attributes.nps", "operator": ">=", "value": 9}
    segment_id = workspace.segments.add("Promoters", query)
    contact = client.contact(email="a@b.example", custom_attributes={"nps": 9})
    client.contact(email="lead@b.example", role="lead", custom_attributes={"nps": 9})
    counted = client.ok("GET", f"/segments/{segment_id}?include_count=true")
    assert (counted["name"], counted["count"]) == ("Promoters", 1)
    assert client.ok("GET", "/segments")["segments"][0]["person_type"] == "user"
    members = {"field": "segment_id", "operator": "=", "value": segment_id}
    assert [c["id"] for c in client.search(members)["data"]] == [contact["id"]]
    shown = client.ok("GET", f"/contacts/{contact['id']}/segments")["data"]
    assert [s["id"] for s in shown] == [segment_id]
    client.ok("PUT", f"/contacts/{contact['id']}", json={"custom_attributes": {"nps": 3}})
    assert client.search(members)["data"] == []
    negated = {"field": "segment_id", "operator": "!=", "value": segment_id}
    assert client.search(negated)["total_count"] == 2
    assert client.error("GET", "/segments/none")[0] == 404


def test_companies_carry_their_segments(client, workspace):
    query = {"field": "monthly_spend", "operator": ">", "value": 100}
    segment_id = workspace.segments.add("Big", query, model="company")
    company = client.company("c1", monthly_spend=500)
    assert company["segments"]["segments"][0]["id"] == segment_id
    assert client.company("c1", monthly_spend=5)["segments"]["segments"] == []
    client.company("c1", monthly_spend=500)
    client.attach(client.contact(email="a@b.example"), company)
    found = client.ok("GET", f"/companies?segment_id={segment_id}")["data"]
    assert [c["id"] for c in found] == [company["id"]]
    client.attach(client.contact(email="b@b.example"), client.company("c2", monthly_spend=1))
    shown = client.ok("GET", f"/companies/{company['id']}")
    listed = client.ok("POST", "/companies/list")["data"]
    scrolled = client.ok("GET", "/companies/scroll")["data"]
    for each in (shown, *listed, *scrolled):
        held = [segment["id"] for segment in each["segments"]["segments"]]
        assert held == ([segment_id] if each["company_id"] == "c1" else [])
    counted = client.ok("GET", "/segments?include_count=true")["segments"]
    assert [segment["count"] for segment in counted] == [1]


def test_contacts_are_searched_by_several_segments(client, workspace):
    client.attribute("contact", "nps", "integer")
    people = [client.contact(email=f"{n}@b.co", custom_attributes={"nps": n}) for n in range(4)]
    low, high = (
        workspace.segments.add(
            name, {"field": "custom_attributes.nps", "operator": operator, "value": value}
        )
        for name, operator, value in (("Low", "<", 1), ("High", ">", 2))
    )
    either = {"field": "segment_id", "operator": "IN", "value": [low, high]}
    found = {each["id"] for each in client.search(either)["data"]}
    assert found == {people[0]["id"], people[3]["id"]}
    neither = {"field": "segment_id", "operator": "NIN", "value": [low, high]}
    found = {each["id"] for each in client.search(neither)["data"]}
    assert found == {people[1]["id"], people[2]["id"]}
