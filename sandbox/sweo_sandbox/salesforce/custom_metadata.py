"""Makes describe facts of the ``Metadata`` that the Tooling API takes for a field or an object."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from . import formulas
from .errors import SalesforceError, json_parser_error
from .schema import Schema, SObjectType

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*__c$")
_LONGEST_NAME = 40 + len("__c")
_SOAP = {
    "boolean": "xsd:boolean",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "reference": "tns:ID",
}
_SYSTEM = (
    ("Id", "id", "Record ID"),
    ("OwnerId", "reference", "Owner ID"),
    ("IsDeleted", "boolean", "Deleted"),
    ("Name", "string", "Name"),
    ("CreatedDate", "datetime", "Created Date"),
    ("CreatedById", "reference", "Created By ID"),
    ("LastModifiedDate", "datetime", "Last Modified Date"),
    ("LastModifiedById", "reference", "Last Modified By ID"),
    ("SystemModstamp", "datetime", "System Modstamp"),
    ("LastActivityDate", "date", "Last Activity Date"),
)
_LONGEST_FORMULA_TEXT = 1300
_KEYS = frozenset(
    {
        "businessOwnerGroup",
        "businessOwnerUser",
        "businessStatus",
        "caseSensitive",
        "complianceGroup",
        "defaultValue",
        "deleteConstraint",
        "description",
        "displayFormat",
        "encryptionScheme",
        "externalId",
        "formula",
        "formulaTreatBlanksAs",
        "fullName",
        "inlineHelpText",
        "label",
        "length",
        "lookupFilter",
        "maskChar",
        "maskType",
        "precision",
        "referenceTo",
        "relationshipLabel",
        "relationshipName",
        "relationshipOrder",
        "reparentableMasterDetail",
        "required",
        "scale",
        "securityClassification",
        "startingNumber",
        "stripMarkup",
        "trackFeedHistory",
        "trackHistory",
        "trackTrending",
        "translateData",
        "type",
        "unique",
        "valueSet",
        "visibleLines",
        "writeRequiresMasterRead",
    }
)


def _check_name(name: str) -> None:
    if not _NAME.match(name) or len(name) > _LONGEST_NAME:
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION",
            "The name can only contain underscores and alphanumeric characters. It must be unique, "
            "begin with a letter, not include spaces, not end with an underscore, and not contain "
            "two consecutive underscores.",
            400,
            ["DeveloperName"],
        )


def field_facts(
    schema: Schema, sobject: SObjectType, name: str, metadata: dict[str, Any]
) -> dict[str, Any]:
    """The describe facts of a field that is made on an object.

    Raises:
        SalesforceError: a name, type or option is none that this org makes fields with.
    """
    _check_name(name)
    _check_keys(metadata)
    kind, label = str(metadata.get("type", "")), metadata.get("label")
    if not label:
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [label]")
    required = bool(metadata.get("required", False))
    facts: dict[str, Any] = {
        "name": name,
        "label": str(label),
        "custom": True,
        # A field that must have a value is open to everyone: no permission takes it away.
        "permissionable": not required,
        "createable": True,
        "updateable": True,
        "nillable": not required,
        "externalId": bool(metadata.get("externalId", False)),
        "idLookup": bool(metadata.get("externalId", False)),
        "unique": bool(metadata.get("unique", False)),
        "caseSensitive": bool(metadata.get("caseSensitive", False)),
        "inlineHelpText": metadata.get("inlineHelpText"),
    }
    facts.update(_TYPES.get(kind, _unknown_type)(_Maker(schema, sobject, kind, metadata)))
    if metadata.get("formula"):
        facts.update(_formula_facts(schema, sobject, facts["type"], str(metadata["formula"])))
    facts["soapType"] = _SOAP.get(facts["type"], "xsd:string")
    if facts.get("length"):
        facts["byteLength"] = facts["length"] * 3
    return facts


@dataclass(frozen=True, slots=True)
class _Maker:
    schema: Schema
    sobject: SObjectType
    kind: str
    metadata: dict[str, Any]

    def number(self, name: str, least: int, most: int) -> int:
        value = self.metadata.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _integrity(f"{name} must be between {least} and {most}", name)
        return value


def _text(maker: _Maker) -> dict[str, Any]:
    if maker.metadata.get("formula"):
        return {"type": "string", "length": _LONGEST_FORMULA_TEXT}
    return {"type": "string", "length": maker.number("length", 1, 255)}


def _long_text(maker: _Maker) -> dict[str, Any]:
    return {
        "type": "textarea",
        "length": maker.number("length", 256, 131_072),
        "aggregatable": False,
        "filterable": False,
        "sortable": False,
        "groupable": False,
    }


def _numeric(maker: _Maker) -> dict[str, Any]:
    type_name = {"Number": "double", "Currency": "currency", "Percent": "percent"}[maker.kind]
    precision = maker.number("precision", 1, 18)
    scale = maker.number("scale", 0, precision)
    return {"type": type_name, "precision": precision, "scale": scale, "groupable": False}


def _checkbox(maker: _Maker) -> dict[str, Any]:
    default = str(maker.metadata.get("defaultValue", "false")).lower() == "true"
    return {
        "type": "boolean",
        "nillable": False,
        "permissionable": True,
        "defaultValue": default,
        "defaultedOnCreate": True,
        "aggregatable": False,
    }


def _auto_number(maker: _Maker) -> dict[str, Any]:
    return {
        "type": "string",
        "length": 30,
        "autoNumber": True,
        "createable": False,
        "updateable": False,
        "nillable": False,
        "defaultedOnCreate": True,
        **_numbering(maker.metadata),
    }


def _lookup(maker: _Maker) -> dict[str, Any]:
    parent = maker.schema.sobject(str(maker.metadata.get("referenceTo", "")))
    relationship = maker.metadata.get("relationshipName")
    if parent is None or not relationship:
        raise _integrity("referenceTo and relationshipName are required")
    # A lookup's own name, not its parent's list of children, is what queries go up by.
    name = str(maker.metadata["fullName"]).removesuffix("__c")
    facts = {
        "type": "reference",
        "length": 18,
        "referenceTo": [parent.name],
        "relationshipName": f"{name}__r",
        "childRelationshipName": f"{relationship}__r",
    }
    if maker.kind == "MasterDetail":
        facts.update(
            nillable=False,
            permissionable=False,
            updateable=bool(maker.metadata.get("reparentableMasterDetail", False)),
            cascadeDelete=True,
            relationshipOrder=0,
        )
    return facts


def _plain(maker: _Maker) -> dict[str, Any]:
    return dict(_PLAIN[maker.kind])


def _unknown_type(maker: _Maker) -> dict[str, Any]:
    raise SalesforceError(
        "INVALID_FIELD",
        f"Field type {maker.kind or 'null'} is not supported by this org",
        400,
        ["type"],
    )


def _picklist(maker: _Maker) -> dict[str, Any]:
    value_set = _object(maker.metadata, "valueSet")
    entries = _objects(_object(value_set, "valueSetDefinition"), "value")
    values = [
        {
            "value": str(entry.get("fullName") or entry.get("valueName")),
            "label": str(entry.get("label") or entry.get("fullName") or entry.get("valueName")),
            "defaultValue": bool(entry.get("default", False)),
        }
        for entry in entries
    ]
    facts: dict[str, Any] = {
        "type": "picklist" if maker.kind == "Picklist" else "multipicklist",
        "length": 255 if maker.kind == "Picklist" else 4099,
        "restrictedPicklist": bool(value_set.get("restricted", False)),
        "picklistValues": values,
    }
    default = next((entry["value"] for entry in values if entry["defaultValue"]), None)
    if default is not None:
        facts.update(defaultValue=default, defaultedOnCreate=True)
    controller = value_set.get("controllingField")
    if controller:
        facts.update(_dependency(maker.sobject, str(controller), value_set, values))
    return facts


def _dependency(
    sobject: SObjectType, name: str, value_set: dict[str, Any], values: list[dict[str, Any]]
) -> dict[str, Any]:
    controller = sobject.field_named(name)
    if controller is None or controller.type not in ("picklist", "boolean"):
        raise _integrity(f"Controlling field {name} does not exist or controls no picklist")
    choices = [entry.value for entry in controller.picklist_values] or ["false", "true"]
    allowed: dict[str, set[int]] = {entry["value"]: set() for entry in values}
    for setting in _objects(value_set, "valueSettings"):
        chosen = setting.get("controllingFieldValue") or []
        chosen = [chosen] if isinstance(chosen, str) else list(chosen)
        dependent = str(setting.get("valueName"))
        unknown = [each for each in chosen if str(each) not in choices]
        if unknown or dependent not in allowed:
            raise _integrity(f"Picklist value {(unknown or [dependent])[0]} does not exist")
        allowed[dependent].update(choices.index(str(each)) for each in chosen)
    for entry in values:
        entry["validFor"] = valid_for(allowed[entry["value"]], len(choices))
    return {"dependentPicklist": True, "controllerName": controller.name}


def valid_for(places: Collection[int], count: int) -> str:
    """The bitmap of a dependent value in base64: bit n, from the left, is the nth controller's."""
    bits = bytearray(-(-count // 24) * 3)
    for place in places:
        bits[place // 8] |= 0x80 >> place % 8
    return base64.b64encode(bits).decode()


def _formula_facts(
    schema: Schema, sobject: SObjectType, type_name: str, formula: str
) -> dict[str, Any]:
    try:
        terms = formulas.terms_of(formula)
        formulas.check_terms(schema, sobject, terms)
        if len(terms) > 1 and type_name != "string":
            raise formulas.FormulaError("Incorrect parameter type: only text is joined")
    except formulas.FormulaError as error:
        raise _integrity(str(error), "Metadata") from None
    return {
        "calculated": True,
        "calculatedFormula": formula,
        "createable": False,
        "updateable": False,
        "nillable": True,
        "aggregatable": False,
        "groupable": False,
    }


_PLAIN: dict[str, dict[str, Any]] = {
    "TextArea": {"type": "textarea", "length": 255, "extraTypeInfo": "plaintextarea"},
    "Date": {"type": "date"},
    "DateTime": {"type": "datetime", "groupable": False},
    "Time": {"type": "time"},
    "Email": {"type": "email", "length": 80, "idLookup": True},
    "Phone": {"type": "phone", "length": 40},
    "Url": {"type": "url", "length": 255},
}
_TYPES: dict[str, Callable[[_Maker], dict[str, Any]]] = {
    **dict.fromkeys(_PLAIN, _plain),
    **dict.fromkeys(("Text", "EncryptedText"), _text),
    **dict.fromkeys(("LongTextArea", "Html"), _long_text),
    **dict.fromkeys(("Number", "Currency", "Percent"), _numeric),
    **dict.fromkeys(("Picklist", "MultiselectPicklist"), _picklist),
    **dict.fromkeys(("Lookup", "MasterDetail"), _lookup),
    "Checkbox": _checkbox,
    "AutoNumber": _auto_number,
}


def _numbering(metadata: dict[str, Any]) -> dict[str, Any]:
    shown = str(metadata.get("displayFormat") or "{0}")
    if not re.search(r"\{0+\}", shown):
        raise _integrity("displayFormat needs a number such as {0000}", "displayFormat")
    first = metadata.get("startingNumber", 1)
    if isinstance(first, bool) or not isinstance(first, int):
        raise _integrity("startingNumber must be a number", "startingNumber")
    return {"displayFormat": shown, "startingNumber": first}


def _check_keys(metadata: dict[str, Any]) -> None:
    unknown = sorted(set(metadata) - _KEYS)
    if unknown:
        raise json_parser_error(f'Unrecognized field "{unknown[0]}" (Class CustomField)')


def _integrity(message: str, *fields: str) -> SalesforceError:
    return SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, 400, fields)


def _object(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    value = metadata.get(name) or {}
    if not isinstance(value, dict):
        raise json_parser_error(f"{name} must be an object")
    return value


def _objects(metadata: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = metadata.get(name) or []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise json_parser_error(f"{name} must be a list of objects")
    return value


def object_facts(name: str, key_prefix: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """The facts of an object that is made; ``enableActivities`` lets tasks be about its records.

    Raises:
        SalesforceError: its name, or the one of its records, is not right.
    """
    _check_name(name)
    if not metadata.get("label"):
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [label]")
    activities = bool(metadata.get("enableActivities", False))
    return {
        "name": name,
        "label": str(metadata["label"]),
        "labelPlural": str(metadata.get("pluralLabel") or metadata["label"]),
        "keyPrefix": key_prefix,
        "activities": activities,
        "fields": _system_fields(_object(metadata, "nameField"), activities=activities),
    }


def _system_fields(name_field: dict[str, Any], *, activities: bool) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = []
    for name, kind, label in _SYSTEM:
        if name == "LastActivityDate" and not activities:
            continue
        entry: dict[str, Any] = {"name": name, "type": kind, "label": label}
        entry["soapType"] = _SOAP.get(kind, "tns:ID" if kind == "id" else "xsd:string")
        entry["defaultedOnCreate"] = name != "LastActivityDate"
        entry["nillable"] = name == "LastActivityDate"
        if kind in ("id", "reference"):
            entry["length"] = 18
        if kind == "id":
            entry["idLookup"] = True
        if kind == "reference":
            entry.update(referenceTo=["User"], relationshipName=name.removesuffix("Id"))
        if name == "OwnerId":
            entry.update(createable=True, updateable=True, referenceTo=["Group", "User"])
            entry.update(polymorphicForeignKey=True)
        if name == "Name":
            entry.update(_name_field(name_field))
        fields.append(entry)
    return fields


def _name_field(given: dict[str, Any]) -> dict[str, Any]:
    numbered = given.get("type") == "AutoNumber"
    facts: dict[str, Any] = {
        "label": str(given.get("label", "Name")),
        "length": 80,
        "nameField": True,
        "idLookup": True,
        "createable": not numbered,
        "updateable": not numbered,
        "nillable": not numbered,
        "defaultedOnCreate": numbered,
    }
    if numbered:
        facts.update(autoNumber=True, **_numbering(given))
    return facts
