"""Drives a workspace through the python-intercom SDK: its models check every answer."""

import json
import os
import time

from intercom import (
    CreateContactRequestWithEmail,
    CreateContactRequestWithRole,
    CreateDataAttributeRequestOne,
    CreateDataEventRequestWithId,
    CreateOrUpdateCompanyRequest,
    Intercom,
    MultipleFilterSearchRequest,
    SingleFilterSearchRequest,
    UpdateCompanyRequestBody,
)
from intercom.core.api_error import ApiError
from intercom.types.starting_after_paging import StartingAfterPaging

client = Intercom(token=os.environ["SWEO_ACCESS_TOKEN"], base_url=os.environ.get("BASE_URL"))
facts = {}


def status_of(action):
    try:
        action()
    except ApiError as error:
        return error.status_code
    raise AssertionError("nothing was raised where a refusal was due")


facts["me"] = client.admins.identify().app.id_code
attribute = client.data_attributes.create(
    request=CreateDataAttributeRequestOne(name="health", model="company", data_type="integer")
)
facts["attribute"] = attribute.name
company = client.companies.create_or_update(
    request=CreateOrUpdateCompanyRequest(
        company_id="c1", name="Acme", plan="Pro", custom_attributes={"health": 7}
    )
)
again = client.companies.create_or_update(
    request=CreateOrUpdateCompanyRequest(company_id="c1", name="Acme 2")
)
facts["upserted"] = [company.id == again.id, again.name, again.custom_attributes]
client.companies.update(company.id, request=UpdateCompanyRequestBody(name="Acme 3"))
facts["found"] = client.companies.find(company.id).name
facts["retrieved"] = client.companies.retrieve(company_id="c1").name

people = [
    client.contacts.create(request=CreateContactRequestWithEmail(email=f"p{number}@acme.co"))
    for number in range(7)
]
lead = client.contacts.create(request=CreateContactRequestWithRole(role="lead"))
facts["roles"] = [people[0].role, lead.role]
facts["conflict"] = status_of(
    lambda: client.contacts.create(request=CreateContactRequestWithEmail(email="p1@acme.co"))
)
client.companies.attach_contact(people[0].id, company_id=company.id)
facts["attached"] = [each.id for each in client.contacts.list_attached_companies(people[0].id)]
facts["members"] = len(client.companies.list_attached_contacts(company.id).data)
facts["listed"] = [each.company_id for each in client.companies.list()]
facts["scrolled"] = [each.company_id for each in client.companies.scroll()]
client.contacts.update(people[0].id, name="Ada", phone="+31 20 123 4567")
query = MultipleFilterSearchRequest(
    operator="AND",
    value=[
        SingleFilterSearchRequest(field="email", operator="$", value="acme.co"),
        SingleFilterSearchRequest(field="role", operator="=", value="user"),
    ],
)
found, after = [], None
while True:
    # The SDK's own pager repeats the first page of a search for ever.
    paging = StartingAfterPaging(per_page=3, starting_after=after)
    page = client.contacts.search(query=query, pagination=paging).response
    found += page.data
    if page.pages.next is None:
        break
    after = page.pages.next.starting_after
facts["searched"] = sorted(each.email for each in found)
facts["named"] = [
    each.name
    for each in client.contacts.search(
        query=SingleFilterSearchRequest(field="name", operator="=", value="Ada")
    )
]
client.events.create(
    request=CreateDataEventRequestWithId(
        id=people[0].id, event_name="signed", created_at=int(time.time())
    )
)
facts["events"] = [
    each.event_name
    for each in client.events.list(type="user", intercom_user_id=people[0].id).events
]
facts["segments"] = [each.name for each in client.segments.list().segments]
tag = client.tags.create(request={"name": "vip"})
client.tags.tag_contact(people[0].id, tag_id=tag.id)
facts["tags"] = [each.name for each in client.contacts.list_attached_tags(people[0].id).data]
facts["note"] = client.notes.create(people[0].id, body="Hello").body
client.contacts.archive(people[1].id)
client.contacts.unarchive(people[1].id)
client.contacts.update(lead.id, email="p2@acme.co")
merged = client.contacts.merge_lead_in_user(lead_id=lead.id, contact_id=people[2].id)
facts["merged"] = [merged.id == people[2].id, status_of(lambda: client.contacts.find(lead.id))]
facts["deleted"] = client.contacts.delete(people[3].id).deleted
facts["company_deleted"] = client.companies.delete(company.id).deleted
facts["refusals"] = [
    status_of(lambda: client.companies.find("6a0000000000000000000000")),
    status_of(lambda: client.contacts.find("6a0000000000000000000000")),
    status_of(
        lambda: client.companies.create_or_update(
            request=CreateOrUpdateCompanyRequest(name="no key")
        )
    ),
    status_of(
        lambda: client.contacts.search(
            query=SingleFilterSearchRequest(field="nope", operator="=", value="x")
        )
    ),
    status_of(Intercom(token="wrong", base_url=os.environ.get("BASE_URL")).tags.list),
]
print(json.dumps(facts))
