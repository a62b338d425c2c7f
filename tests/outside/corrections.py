"""Where the published contract says other things than the service does, with the reason of each.

A correction takes the parsed contract and changes it in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Contract = dict[str, Any]
Correction = Callable[[Contract], None]


def _schemas(contract: Contract) -> dict[str, Any]:
    schemas: dict[str, Any] = contract["components"]["schemas"]
    return schemas


def _operations(contract: Contract) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _error(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def refusals_are_not_listed(contract: Contract) -> None:
    """The contract lists no 429 anywhere and few of the other refusals that requests meet."""
    for path, method, operation in _operations(contract):
        answers = operation["responses"]
        answers.setdefault("400", _error("a parameter is wrong"))
        answers.setdefault("401", _error("no valid token"))
        answers.setdefault("429", _error("too many requests"))
        if "{" in path or path in ("/contacts/merge", "/companies", "/events", "/tags"):
            answers.setdefault("404", _error("no such record"))
        if path == "/events/summaries" or path == "/companies/scroll":
            answers.setdefault("404", _error("no such contact, or the scroll is over"))
        if "/contacts" in path or path.startswith(("/events", "/tags")):
            answers.setdefault("410", _error("the contact was merged into another"))
        if path in ("/contacts", "/contacts/{contact_id}") and method in ("post", "put"):
            answers.setdefault("409", _error("another contact has this email or external id"))


def addresses_are_relative(contract: Contract) -> None:
    """Typed as ``uri``, yet the contract's own examples are paths such as ``/contacts/1/notes``."""
    typed = ("contact_companies", "contact_notes", "contact_tags")
    for name in (*typed, "company_data", "addressable_list"):
        _schemas(contract)[name]["properties"]["url"].pop("format", None)
    _schemas(contract)["addressable_list"]["properties"]["type"].pop("format")  # "note"


def a_lead_may_lack_everything(contract: Contract) -> None:
    """Leads have no email, and a company may have no name: both come as null."""
    contact = _schemas(contract)["contact"]["properties"]
    contact["email"]["nullable"] = True
    contact["email_domain"]["nullable"] = True
    _schemas(contract)["company"]["properties"]["name"]["nullable"] = True


def one_company_by_key(contract: Contract) -> None:
    """Typed as a list; by ``company_id`` or ``name`` the service answers with the bare company."""
    answer = contract["paths"]["/companies"]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    bare = {"$ref": "#/components/schemas/company"}
    answer["content"]["application/json"]["schema"] = {"anyOf": [bare, schema]}


def one_key_at_a_time(contract: Contract) -> None:
    """The examples give all four keys at once, of which only one can be looked up."""
    for parameter in contract["paths"]["/companies"]["get"]["parameters"]:
        if parameter.get("name") in ("name", "company_id", "tag_id", "segment_id"):
            parameter.pop("example", None)


def attribute_values_have_types(contract: Contract) -> None:
    """Typed as text only, against the contract's own examples of booleans and numbers."""
    for schema in _schemas(contract).values():
        values = schema.get("properties", {}).get("custom_attributes")
        if isinstance(values, dict):
            values.pop("additionalProperties", None)
            values.pop("example", None)


def newer_versions_exist(contract: Contract) -> None:
    """The list of versions ends with its own; 2.17 and the Preview names are known as well."""
    versions = _schemas(contract)["intercom_version"]["enum"]
    versions += ["2.17", "Preview", "Unstable", "0", ""]


def null_is_as_good_as_absent(contract: Contract) -> None:
    """Optional parts of a body are typed without null, which clients send for what they lack."""

    def loosen(schema: dict[str, Any], seen: set[str]) -> None:
        name = schema.get("$ref", "").rpartition("/")[2]
        if name:
            if name not in seen:
                loosen(_schemas(contract)[name], seen | {name})
            return
        for kind in ("oneOf", "anyOf", "allOf"):
            for part in schema.get(kind, []):
                loosen(part, seen)
        for key, part in schema.get("properties", {}).items():
            if key not in schema.get("required", []):
                if "$ref" in part:
                    part["allOf"] = [{"$ref": part.pop("$ref")}]
                part["nullable"] = True

    for _, _, operation in _operations(contract):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            loosen(media["schema"], set())


def spend_is_cut_off(contract: Contract) -> None:
    """Typed as an integer; the service takes a fraction and cuts it off."""
    for name in ("create_or_update_company_request", "update_company_request"):
        _schemas(contract)[name]["properties"]["monthly_spend"]["type"] = "number"


def keys_may_be_numbers(contract: Contract) -> None:
    """Typed as text; a number is taken as its digits, as the contract does with other ids."""
    for name in ("create_or_update_company_request",):
        _schemas(contract)[name]["properties"]["company_id"].pop("type", None)


def contact_ids_are_text(contract: Contract) -> None:
    """Typed as a number in the paths of notes, while a contact's id is text everywhere else."""
    for path in ("/contacts/{contact_id}/notes",):
        for operation in contract["paths"][path].values():
            for parameter in operation["parameters"]:
                if parameter.get("name") == "contact_id":
                    parameter["schema"] = {"type": "string"}


def tag_bodies_overlap(contract: Contract) -> None:
    """One of several bodies, of which ``{"name": …, "users": []}`` fits more than one."""
    media = contract["paths"]["/tags"]["post"]["requestBody"]["content"]["application/json"]
    media["schema"]["anyOf"] = media["schema"].pop("oneOf")


def owners_are_named_by_text_too(contract: Contract) -> None:
    """Typed as a number; ids of teammates travel as text elsewhere, and both are taken."""

    def loosen(part: Any) -> None:
        if isinstance(part, dict):
            owner = part.get("properties", {}).get("owner_id")
            if isinstance(owner, dict) and owner.pop("type", None):
                owner.pop("nullable", None)
            for each in part.values():
                loosen(each)
        elif isinstance(part, list):
            for each in part:
                loosen(each)

    loosen(contract)


CORRECTIONS: tuple[Correction, ...] = (
    refusals_are_not_listed,
    addresses_are_relative,
    a_lead_may_lack_everything,
    one_company_by_key,
    one_key_at_a_time,
    attribute_values_have_types,
    newer_versions_exist,
    null_is_as_good_as_absent,
    spend_is_cut_off,
    keys_may_be_numbers,
    contact_ids_are_text,
    tag_bodies_overlap,
    owners_are_named_by_text_too,
)


def preview_answers_to_its_own_version_only(contract: Contract) -> None:
    """These paths answer 404 to a numbered version, and 400 to a version that does not exist."""
    for _, _, operation in _operations(contract):
        operation["responses"].setdefault("400", _error("a parameter is wrong"))
        operation["responses"].setdefault("404", _error("the version has no such path"))
        operation["responses"].setdefault("429", _error("too many requests"))


def items_are_judged_one_by_one(contract: Contract) -> None:
    """A wrong field of an item is told by the job's state alone, as the contract's prose says."""
    for name, schema in _schemas(contract).items():
        if name.startswith("bulk_"):
            for key, part in schema["properties"].items():
                properties = part["items"]["properties"] if key != "job" else {}
                for field in set(properties) - {"id"}:
                    properties[field] = {}


PREVIEW_CORRECTIONS: tuple[Correction, ...] = (
    preview_answers_to_its_own_version_only,
    items_are_judged_one_by_one,
    attribute_values_have_types,
    newer_versions_exist,
    null_is_as_good_as_absent,
)


def corrected(contract: Contract, corrections: tuple[Correction, ...]) -> Contract:
    """The contract with every correction made, in place."""
    for correction in corrections:
        correction(contract)
    return contract
