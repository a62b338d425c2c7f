"""Several currencies in one org: ``CurrencyType``, and ``CurrencyIsoCode`` on the records.

An org of one currency has neither. The first currency is the corporate one; records that existed
before the switch, and new ones that name no currency, hold it. No amount is ever converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from . import facts
from .errors import SalesforceError
from .schema import PicklistValue, Schema, SObjectField, SObjectType
from .store import quoted

if TYPE_CHECKING:
    from .org import Org

Rate: TypeAlias = "int | float | Decimal"
FIELD = "CurrencyIsoCode"
_USER_DEFAULT = "DefaultCurrencyIsoCode"
_META = "multi_currency"
_STANDARD = (
    "Account",
    "Campaign",
    "CampaignMember",
    "Case",
    "Contact",
    "Event",
    "Lead",
    "Opportunity",
    "Task",
    "User",
)
_LABELS = {"Task": "Currency ISO Code", "Event": "Currency ISO Code", "User": "Currency ISO Code"}
_DECIMAL_PLACES = {"JPY": 0, "KRW": 0, "KWD": 3}


def switch_on(org: Org, rates: Mapping[str, Rate]) -> None:
    """Make this an org of several currencies, or change its currencies and rates.

    ``rates`` are by ISO code, against the first one. It cannot be switched off again, as with the
    vendor; a currency that is left out is no more active.

    Raises:
        SalesforceError: a code is no ISO code, or a rate no positive number.
    """
    _check(rates)
    corporate = next(iter(rates))
    with org.store.transaction():
        _add_object(org.schema)
        org.store.create_table(org.schema.sobjects["currencytype"])
        _put_types(org, rates)
        refresh(org)
        org.store.create_tables()
        for sobject in org.schema.sobjects.values():
            for name in (FIELD, _USER_DEFAULT):
                if sobject.field_named(name):
                    org.store.writer.execute(
                        f"UPDATE {quoted(sobject.name)} SET {quoted(name)} = ? "  # noqa: S608
                        f"WHERE {quoted(name)} IS NULL",
                        (corporate,),
                    )
        org.store.set_meta(_META, "on")
    org.schema_changed()


def load(org: Org) -> None:
    """Bring back what a stored org was switched to, before its custom objects are loaded."""
    if org.store.meta(_META) is not None:
        _add_object(org.schema)
        refresh(org)


def refresh(org: Org) -> None:
    """Give every object's field the active currencies as its values."""
    codes = _codes(org)
    for sobject in org.schema.sobjects.values():
        if sobject.custom or sobject.name in _STANDARD:
            _add_field(sobject, codes)
    label = "Default Currency ISO Code"
    org.schema.sobjects["user"].fields[_USER_DEFAULT.lower()] = _field(_USER_DEFAULT, label, codes)


def extend_object(org: Org, sobject: SObjectType) -> None:
    """Give a custom object that was just made its currency, if the org has several."""
    if org.schema.sobject("CurrencyType") is not None:
        _add_field(sobject, _codes(org))


def default_of(org: Org, user_id: str) -> str | None:
    """The currency of a record that names none: its maker's own."""
    user = org.store.row(org.schema.sobjects["user"], user_id)
    return None if user is None else user[_USER_DEFAULT]


def _codes(org: Org) -> list[str]:
    rows = org.rows("CurrencyType", IsActive=1)
    return [row["IsoCode"] for row in sorted(rows, key=lambda row: -row["IsCorporate"])]


def _add_object(schema: Schema) -> None:
    if schema.sobject("CurrencyType") is None:
        made = facts.load_object("CurrencyType")
        schema.sobjects[made.name.lower()] = made
        for each in made.fields.values():
            facts.link_field(schema, made, each)


def _add_field(sobject: SObjectType, codes: list[str]) -> None:
    own = _LABELS.get(sobject.name, f"{sobject.label} Currency")
    label = "Currency" if sobject.custom else own
    sobject.fields[FIELD.lower()] = _field(FIELD, label, codes)


def _check(rates: Mapping[str, Rate]) -> None:
    if not rates:
        raise SalesforceError("MISSING_ARGUMENT", "the order needs at least one currency")
    for code, rate in rates.items():
        right = not isinstance(rate, bool) and isinstance(rate, int | float | Decimal) and rate > 0
        if not (len(code) == 3 and code.isascii() and code.isupper()) or not right:
            raise SalesforceError(
                "INVALID_INPUT", f"{code}: a currency is three capitals and a rate above zero"
            )


def _field(name: str, label: str, codes: list[str]) -> SObjectField:
    return SObjectField(
        name,
        "picklist",
        label,
        length=3,
        defaulted_on_create=True,
        default_value=codes[0],
        restricted_picklist=True,
        picklist_values=[
            PicklistValue(code, code, default=code == codes[0]) for code in sorted(codes)
        ],
        extra={"byteLength": 9},
    )


def _put_types(org: Org, rates: Mapping[str, Rate]) -> None:
    corporate = next(iter(rates))
    held = {row["IsoCode"]: row["Id"] for row in org.rows("CurrencyType")}
    for code in {**rates, **dict.fromkeys(held)}:
        values = {
            "ConversionRate": rates.get(code),
            "DecimalPlaces": _DECIMAL_PLACES.get(code, 2),
            "IsActive": code in rates,
            "IsCorporate": code == corporate,
        }
        if code in held:
            kept = {name: value for name, value in values.items() if value is not None}
            org.update("CurrencyType", held[code], kept)
        else:
            org.insert("CurrencyType", {"IsoCode": code, **values})
