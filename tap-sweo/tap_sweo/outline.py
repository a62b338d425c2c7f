"""What a mapping reads of Sweo: which fields exist, of which type, and whether that changed."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping as MappingOf
from dataclasses import dataclass

import msgspec
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Direction, Mapping, Side


@dataclass(frozen=True, slots=True)
class Outline:
    """The fields that can be read now, by name, and those that do not exist yet."""

    types: MappingOf[str, FieldType]
    missing: tuple[str, ...] = ()


def outline(mapping: Mapping, known: MappingOf[str, FieldType], *, held: bool = False) -> Outline:
    """Pick the mapping's fields out of what the workspace has (``known``).

    ``held`` adds those that Sweo only receives.
    """
    names = mapping.read_from(Side.SWEO)
    if held:
        received = [field.on(Side.SWEO) for field in mapping.held_on(Side.SWEO)]
        names = tuple(dict.fromkeys([*names, *received]))
    return Outline(
        types={name: known[name] for name in names if name in known},
        missing=tuple(name for name in names if name not in known),
    )


def refuse_unknown_fields(
    mappings: Iterable[Mapping], known: MappingOf[str, MappingOf[str, FieldType]]
) -> None:
    """Check every mapping at once; ``known`` is by the mapping's Sweo object.

    A missing attribute that also flows to Sweo may not exist yet: target-sweo makes it.

    Raises:
        FatalError: Attributes that nobody will make, each with the nearest name.
    """
    mistakes: list[str] = []
    for mapping in mappings:
        fields = known[mapping.sweo]
        made_by_target = {
            f.sweo for f in mapping.fields if f.direction in (Direction.BOTH, Direction.TO_SWEO)
        }
        lines = {f.sweo: f.line for f in mapping.fields}
        mistakes += [
            _mistake(mapping, name, lines.get(name), fields)
            for name in outline(mapping, fields).missing
            if name not in made_by_target
        ]
    if mistakes:
        raise FatalError("Sweo does not have these mapped attributes: " + "; ".join(mistakes) + ".")


def _mistake(
    mapping: Mapping, name: str, line: int | None, fields: MappingOf[str, FieldType]
) -> str:
    place = f"mapping `{mapping.name}`" + (f", line {line}" if line else "")
    near = difflib.get_close_matches(name, fields, n=1, cutoff=0.5)
    advice = f" (did you mean `{near[0]}`?)" if near else ""
    return f"`{name}` of {mapping.sweo} in {place}{advice}"


def declared_fingerprint(mapping: Mapping) -> str:
    """A digest of what the mapping asks to be read; it needs no call."""
    return _digest(
        mapping.sweo,
        [(f.sweo, f.salesforce, f.direction.value) for f in mapping.flowing_to(Side.SALESFORCE)],
        [(m.sweo, m.salesforce, m.normalise.value) for m in mapping.match],
    )


def readable_fingerprint(mapping: Mapping, types: MappingOf[str, FieldType]) -> str:
    """A digest of what could be read of it; a change means a backfill."""
    return _digest(
        declared_fingerprint(mapping), sorted((name, t.type) for name, t in types.items())
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]
