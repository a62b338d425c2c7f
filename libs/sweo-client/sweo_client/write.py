"""Writing records, memberships and attributes. Every call here is sent at most once.

Functions raise ``SweoRefusal`` where Sweo refused, ``UnknownOutcomeError`` where the answer was
lost, and the other errors of ``crosswalk.errors`` where no single record is to blame.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from crosswalk.fieldtype import FieldType

from sweo_client.client import Answer, SweoClient
from sweo_client.errors import SweoRefusal
from sweo_client.fields import COMPANY

Body = dict[str, Any]


def update_record(client: SweoClient, model: str, record_id: str, body: Body) -> Answer:
    """Set values of one company or contact; the answer's body is the whole record."""
    collection = "companies" if model == COMPANY else "contacts"
    return client.write("PUT", f"/{collection}/{quote(record_id, safe='')}", body=body)


def upsert_company(client: SweoClient, body: Body) -> Answer:
    """Make the company that carries ``body["company_id"]``, or set its values if it is there."""
    return client.write("POST", "/companies", body=body)


def archive_record(client: SweoClient, model: str, record_id: str) -> Answer:
    """Archive a contact (it can be unarchived), or delete a company (its contacts stay)."""
    place = quote(record_id, safe="")
    if model == COMPANY:
        return client.write("DELETE", f"/companies/{place}")
    return client.write("POST", f"/contacts/{place}/archive")


def create_contact(client: SweoClient, body: Body) -> Answer:
    """Make a contact. A 409 names the one that is there: see ``errors.conflict_of``."""
    return client.write("POST", "/contacts", body=body)


def promote(client: SweoClient, lead_id: str) -> Answer:
    """Make a user of a lead; a user stays one."""
    return client.write("PUT", f"/contacts/{quote(lead_id, safe='')}", body={"role": "user"})


def merge(client: SweoClient, lead_id: str, user_id: str) -> Answer:
    """Merge a lead into a user, whose own values stand; the lead answers 410 from then on.

    Sweo checks since 2.16 that the two share an email or a phone; here it is known that they are
    one.
    """
    body: Body = {"from": lead_id, "into": user_id}
    if client.settings.checks_merges:
        body["skip_duplicate_validation"] = True
    return client.write("POST", "/contacts/merge", body=body)


def attach(client: SweoClient, contact_id: str, company_id: str) -> Answer:
    """Let a contact belong to a company (both by Sweo id). Doing it twice changes nothing."""
    return client.write(
        "POST", f"/contacts/{quote(contact_id, safe='')}/companies", body={"id": company_id}
    )


def detach(client: SweoClient, contact_id: str, company_id: str) -> Answer | None:
    """End a membership; None where there was none, or one of the two is gone."""
    path = f"/contacts/{quote(contact_id, safe='')}/companies/{quote(company_id, safe='')}"
    try:
        return client.write("DELETE", path)
    except SweoRefusal as refusal:
        if refusal.status in (404, 410):
            return None
        raise


def create_attribute(client: SweoClient, model: str, field: FieldType, description: str) -> Answer:
    """Make a custom attribute of the field's name, type and options. Its type stays for ever.

    ``description`` is what people read about it in Sweo.
    """
    body: Body = {
        "name": field.name,
        "model": model,
        "data_type": field.type,
        "description": description,
    }
    if field.type == "options":
        body["options"] = [{"value": option} for option in field.options or ()]
    return client.write("POST", "/data_attributes", body=body)


def unarchive_attribute(client: SweoClient, attribute_id: int | str) -> Answer:
    """Take an archived custom attribute back into use, its values with it."""
    return client.write("PUT", f"/data_attributes/{attribute_id}", body={"archived": False})
