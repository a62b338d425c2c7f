"""Describes, several in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crosswalk.errors import FatalError

from salesforce_client.composite import MAX_SUBREQUESTS, Part, Subrequest, read_composite
from salesforce_client.connection import Connection
from salesforce_client.fields import Description, description_of, related_objects


def describe_request(sobject: str) -> Subrequest:
    """The subrequest that describes an object."""
    return Subrequest("GET", f"sobjects/{sobject}/describe")


def description_from(sobject: str, part: Part) -> Description:
    """Read the answer to ``describe_request``.

    Raises:
        FatalError: the object is not there, or the user may not see it.
    """
    refusal = part.refusal
    if refusal is None:
        return description_of(part.body)
    if refusal.code in ("NOT_FOUND", "INVALID_TYPE"):
        raise FatalError(
            f"Salesforce shows no object {sobject}; check the name in the mapping, and that the "
            "user has the permission Read on it."
        )
    raise refusal.sorted()


def describe(connection: Connection, sobjects: Iterable[str]) -> dict[str, Description]:
    """Describe objects, 25 a call; by the name that was asked for.

    Raises:
        FatalError: an object is not there; of several, all are named.
    """
    found, missing = describe_visible(connection, sobjects)
    if missing:
        raise FatalError("\n".join(missing.values()))
    return found


def describe_visible(
    connection: Connection, sobjects: Iterable[str]
) -> tuple[dict[str, Description], dict[str, str]]:
    """As ``describe``; what is not there comes back as a sentence each, by name."""
    names = list(dict.fromkeys(sobjects))
    found: dict[str, Description] = {}
    missing: dict[str, str] = {}
    for start in range(0, len(names), MAX_SUBREQUESTS):
        batch = names[start : start + MAX_SUBREQUESTS]
        parts = read_composite(connection, [describe_request(name) for name in batch])
        for name, part in zip(batch, parts, strict=True):
            try:
                found[name] = description_from(name, part)
            except FatalError as error:
                missing[name] = str(error)
    return found, missing


def describe_related(
    connection: Connection,
    described: dict[str, Description],
    names: Mapping[str, Iterable[str]],
) -> None:
    """Add to ``described`` the objects that dotted names lead to, by object that bears them.

    One call per step of the longest path (at most five), usually one.
    """
    asked = {sobject: list(fields) for sobject, fields in names.items()}
    while True:
        wanted: set[str] = set()
        for sobject, fields in asked.items():
            wanted |= related_objects(described[sobject], fields, described)
        if not wanted:
            return
        described.update(describe(connection, sorted(wanted)))


def list_objects(connection: Connection) -> list[str]:
    """The names of all objects that can be queried."""
    body = connection.read("sobjects").body
    return [entry["name"] for entry in body["sobjects"] if entry.get("queryable")]
