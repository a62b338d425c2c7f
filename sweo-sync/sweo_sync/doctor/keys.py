"""Whether the fields by which records are matched are filled on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from crosswalk.mapping import Mapping, Match, Side
from crosswalk.match import normalise
from sweo_client.fields import Record, model_of, reader

from sweo_sync.doctor.activity import plural_of
from sweo_sync.doctor.finding import Finding, Level, UnavailableError
from sweo_sync.doctor.visit import Visit

KEYS: Final = "match keys"
_SPARSE_SHARE: Final = 0.5


def look_at_keys(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """How many sampled records of each side have a match value."""
    for side, names in (
        (Side.SALESFORCE, mapping.salesforce),
        (Side.SWEO, plural_of(mapping.sweo)),
    ):
        try:
            filled, sampled = filled_keys(visit, mapping, side)
        except UnavailableError as missing:
            yield Finding(KEYS, Level.SKIPPED, str(missing), mapping=mapping.name)
            continue
        if not sampled:
            yield Finding(
                KEYS, Level.SKIPPED, f"There are no {names} records to look at.",
                mapping=mapping.name,
            )  # fmt: skip
            continue
        fields = " or ".join(match.on(side) for match in mapping.match)
        level = Level.OK if filled >= sampled * _SPARSE_SHARE else Level.WARNING
        level = level if filled else Level.FAILURE
        yield Finding(
            KEYS,
            level,
            f"{filled} of the {sampled} latest {names} records in {side.value.capitalize()} have "
            f"{fields}.",
            None if level is Level.OK else f"fill {fields}, or match by other fields",
            mapping.name,
        )


def filled_keys(visit: Visit, mapping: Mapping, side: Side) -> tuple[int, int]:
    """How many sampled records have any match value, of how many.

    Raises:
        UnavailableError: the side or the fields cannot be seen.
    """
    matches = seen_matches(visit, mapping)
    if not matches:
        raise UnavailableError("The match fields cannot be seen.")
    values: list[list[object]]
    if side is Side.SALESFORCE:
        sample = visit.accounts.get(mapping.salesforce)
        description = visit.org.described[mapping.salesforce]
        own = {match.salesforce: description.field(match.salesforce) for match in matches}
        values = [
            [row.get(found.name) if (found := own[match.salesforce]) else None for match in matches]
            for row in (sample.rows if sample else ())
        ]
    else:
        readers = [sweo_reader(visit, mapping, match.sweo) for match in matches]
        values = [[read(row) for read in readers] for row in visit.people(mapping.sweo).rows]
    filled = sum(
        any(normalise(v, m.normalise) for v, m in zip(row, matches, strict=True)) for row in values
    )
    return filled, len(values)


def seen_matches(visit: Visit, mapping: Mapping) -> list[Match]:
    """The declared matches whose fields both sides show.

    Raises:
        UnavailableError: the object cannot be seen.
    """
    description = visit.org.description(mapping)
    if description is None:
        raise UnavailableError(f"{mapping.salesforce} cannot be seen.")
    return [
        match
        for match in mapping.match
        if description.field(match.salesforce) and visit.workspace.look_up(mapping, match.sweo)
    ]


def sweo_reader(visit: Visit, mapping: Mapping, name: str) -> Callable[[Record], object]:
    """A function that takes an attribute's raw value out of a record."""
    found = visit.workspace.look_up(mapping, name)
    if found is None:
        raise UnavailableError(f"Sweo has no attribute {name}.")
    return reader(model_of(mapping.sweo), found)
