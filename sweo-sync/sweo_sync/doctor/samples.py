"""Samples of both sides: what was touched last, never a whole read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crosswalk.errors import FatalError
from crosswalk.mapping import Mapping, Side
from salesforce_client.composite import MAX_QUERIES, Subrequest, query_path, read_composite
from salesforce_client.connection import Connection
from salesforce_client.fields import Description
from salesforce_client.soql import Select
from sweo_client import SweoClient, SweoRefusal
from sweo_client.fields import model_of, role_of
from sweo_client.query import search_contacts

from sweo_sync.sides import Org

LATEST_RECORDS: Final = 200
COMPANIES: Final = 50
STAMP: Final = "SystemModstamp"

Row = dict[str, Any]


class CompaniesDisabledError(FatalError):
    """The workspace has companies switched off."""


@dataclass(frozen=True, slots=True)
class OrgSample:
    """The records of one object that changed last, by the names of their own fields.

    ``people`` counts the person accounts of the org, which the pipelines leave out; None where
    there are none to count.
    """

    rows: Sequence[Row]
    people: int | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceSample:
    """The records that were active last. ``total`` is the API's own count of the listed ones."""

    rows: Sequence[Row] = field(default_factory=list)
    total: int = 0


def sample_org(
    connection: Connection, org: Org, mappings: Sequence[Mapping]
) -> dict[str, OrgSample]:
    """The latest 200 of every object with the mappings' match fields; five objects a call.

    Raises:
        FatalError, RetryLaterError: the call as a whole was refused.
    """
    wanted: list[tuple[str, bool, str]] = []
    for name, fields in _match_fields(org, mappings).items():
        description = org.described[name]
        select = Select(name, ("Id", STAMP, *fields), order_by=(f"{STAMP} DESC",))
        wanted.append((name, False, f"{select.text()} LIMIT {LATEST_RECORDS}"))
        if description.field("IsPersonAccount"):
            count = Select(name, ("COUNT()",), ("IsPersonAccount = TRUE",))
            wanted.append((name, True, count.text()))
    rows: dict[str, list[Row]] = {}
    people: dict[str, int] = {}
    for start in range(0, len(wanted), MAX_QUERIES):
        batch = wanted[start : start + MAX_QUERIES]
        requests = [Subrequest("GET", query_path(soql, deleted_too=False)) for *_, soql in batch]
        for (name, is_count, _), part in zip(
            batch, read_composite(connection, requests), strict=True
        ):
            if part.refusal and not is_count:
                raise part.refusal.sorted()
            if is_count:
                people[name] = int(part.body["totalSize"]) if not part.refusal else 0
            else:
                rows[name] = part.body["records"]
    return {name: OrgSample(found, people.get(name)) for name, found in rows.items()}


def _match_fields(org: Org, mappings: Sequence[Mapping]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for mapping in mappings:
        description = org.description(mapping)
        if description is None or description.field(STAMP) is None:
            continue
        names = wanted.setdefault(mapping.salesforce, [])
        for match in mapping.match:
            name = own_name(description, match.on(Side.SALESFORCE))
            if name and name not in (*names, "Id", STAMP):
                names.append(name)
    return wanted


def own_name(description: Description, name: str) -> str | None:
    """A field's name as Salesforce spells it, where the object shows it."""
    found = description.field(name)
    return found.name if found else None


def sample_workspace(client: SweoClient, sweo_object: str) -> WorkspaceSample:
    """The first page of what was active last: 50 companies or 150 contacts, in one call.

    Raises:
        CompaniesDisabledError: the workspace has companies switched off.
        FatalError, RetryLaterError: it cannot be asked.
    """
    if model_of(sweo_object) != "company":
        page = next(search_contacts(client, None, role=role_of(sweo_object)), [])
        return WorkspaceSample(page, len(page))
    try:
        answer = client.read(
            "POST", "/companies/list", params={"page": 1, "per_page": COMPANIES}, body={}
        )
    except SweoRefusal as refusal:
        raise _sorted(refusal) from refusal
    except FatalError as error:
        if isinstance(error.__cause__, SweoRefusal):
            raise _sorted(error.__cause__) from error
        raise
    rows = answer.body.get("data") or []
    return WorkspaceSample(rows, int(answer.body.get("total_count") or len(rows)))


def _sorted(refusal: SweoRefusal) -> FatalError:
    if refusal.code == "companies_disabled":
        return CompaniesDisabledError("Companies are not enabled in the workspace.")
    return FatalError(f"Sweo refused the list of companies ({refusal.code}).")
