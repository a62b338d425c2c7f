"""What is checked across mappings: names, parents, and what leads become."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf, Sequence

from crosswalk.mapping import Mapping
from crosswalk.problems import Problems, one_of


def check_across(
    mappings: Sequence[Mapping], names: MappingOf[str, int | None], problems: Problems
) -> None:
    """Note every mistake between mappings; ``names`` are all that were declared, also those that
    could not be read, whose mistakes are noted already.
    """
    by_name = {mapping.name: mapping for mapping in mappings}
    for mapping in mappings:
        _check_parent(mapping, by_name, names, problems)
        _check_becomes(mapping, by_name, names, problems)


def _check_parent(
    mapping: Mapping,
    by_name: MappingOf[str, Mapping],
    names: MappingOf[str, int | None],
    problems: Problems,
) -> None:
    if mapping.parent is None:
        return
    wanted = mapping.parent.mapping
    parent = by_name.get(wanted)
    if wanted not in names:
        _wrong(
            problems,
            mapping,
            f"the parent {wanted} is no mapping",
            one_of(wanted, [name for name in names if name != mapping.name] or ["(none)"]),
        )
    elif _is_in_cycle(mapping, by_name):
        _wrong(
            problems,
            mapping,
            f"the parents of {mapping.name} lead back to itself",
            "a parent is a mapping of companies",
        )
    elif parent is not None and parent.sweo != "company":
        _wrong(
            problems,
            mapping,
            f"the parent {wanted} is a mapping of {parent.sweo} records",
            "a parent is a mapping of companies",
        )
    elif parent is not None and parent.org != mapping.org:
        _wrong(problems, mapping, f"the parent {wanted} is in another org", "both are of one org")


def _check_becomes(
    mapping: Mapping,
    by_name: MappingOf[str, Mapping],
    names: MappingOf[str, int | None],
    problems: Problems,
) -> None:
    if mapping.becomes is None:
        return
    heir = by_name.get(mapping.becomes)
    right = "it is the mapping of the contacts that leads become"
    if mapping.becomes not in names:
        others = [name for name in names if name != mapping.name] or ["(none)"]
        _wrong(
            problems,
            mapping,
            f"leads become {mapping.becomes}, which is no mapping",
            one_of(mapping.becomes, others),
        )
    elif heir is not None and heir.salesforce.lower() != "contact":
        _wrong(problems, mapping, f"{heir.name} is a mapping of {heir.salesforce} records", right)
    elif heir is not None and heir.sweo == "lead":
        _wrong(problems, mapping, f"{heir.name} is a mapping of Sweo leads", right)
    elif heir is not None and heir.org != mapping.org:
        _wrong(problems, mapping, f"{heir.name} is in another org", "both are of one org")


def _is_in_cycle(mapping: Mapping, by_name: MappingOf[str, Mapping]) -> bool:
    seen: set[str] = set()
    current: Mapping | None = mapping
    while current is not None and current.parent is not None and current.name not in seen:
        seen.add(current.name)
        current = by_name.get(current.parent.mapping)
        if current is mapping:
            return True
    return False


def _wrong(problems: Problems, mapping: Mapping, wrong: str, right: str) -> None:
    problems.add(wrong, right, line=mapping.line, mapping=mapping.name)
