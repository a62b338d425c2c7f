"""Amounts in an org of several currencies: a number without its currency says nothing.

Such an org has ``CurrencyIsoCode`` on every record that can hold money, in which all amounts of
the record are; an org of one currency has it nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping as MappingOf
from dataclasses import dataclass
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Direction, Field, Mapping, Side

from salesforce_client.fields import Description, Resolved, resolve

CURRENCY: Final = "CurrencyIsoCode"
_AMOUNT: Final = "currency"
_WORD_END: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class LoneAmounts:
    """Amounts of one record that flow without its currency; ``field`` is the first of them.

    ``wrong`` and ``right`` make one sentence. ``line`` is the line to add to the mapping's fields,
    None where one that is there must flow another way.
    """

    field: Field
    wrong: str
    right: str
    line: str | None


def lone_amounts(
    mapping: Mapping, to: Side, description: Description, described: MappingOf[str, Description]
) -> Iterator[LoneAmounts]:
    """The amounts that flow to ``to`` while the currency of their record does not.

    ``described`` are the related objects. Names that cannot be resolved are passed over.
    """

    def is_there(name: str) -> FieldType | None:
        found = resolve(name, description, described)
        return found.type if isinstance(found, Resolved) else None

    amounts: dict[str, list[tuple[str, Field]]] = {}
    for field in mapping.fields:
        for name in field.read_on(Side.SALESFORCE):
            found = is_there(name)
            currency = ".".join([*name.split(".")[:-1], CURRENCY])
            if found and found.type == _AMOUNT and is_there(currency):
                amounts.setdefault(currency, []).append((name, field))
    if not amounts:
        return
    flowing = mapping.flowing_to(to)
    carried = {name.lower() for field in flowing for name in field.read_on(Side.SALESFORCE)}
    for currency, told in amounts.items():
        alone = {name: field for name, field in told if field in flowing}
        if not alone or currency.lower() in carried:
            continue
        names = ", ".join(alone)
        flows = {field.direction for _, field in told}
        direction = flows.pop() if len(flows) == 1 else Direction.BOTH
        line = None
        right = f"write direction: {direction.value} in the line of {currency}"
        if all(field.salesforce.lower() != currency.lower() for field in mapping.fields):
            line = _line(mapping, currency, direction)
            right = f"add {line}"
        yield LoneAmounts(
            next(iter(alone.values())),
            f"{names} would reach {to.value.capitalize()} without {currency}, and in an org of "
            "several currencies an amount says nothing without it",
            right,
            line,
        )


def _line(mapping: Mapping, currency: str, direction: Direction) -> str:
    shown = "" if direction is Direction.TO_SWEO else f", direction: {direction.value}"
    # Sweo takes a name once, so that it tells companies' currency from contacts'.
    names = [mapping.salesforce.removesuffix("__c"), *currency.split(".")[:-1], "currency"]
    attribute = "_".join(_WORD_END.sub("_", name.removesuffix("__r")).lower() for name in names)
    return f"{{salesforce: {currency}, sweo: {attribute}{shown}}}"
