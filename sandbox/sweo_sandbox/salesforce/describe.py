"""Describe answers: the vendor's full shape from the schema, filtered by field-level security."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from .schema import Schema, SObjectField, SObjectType

Access = Callable[[str, str], bool]
"""From object and field name to whether the user may (see, edit) it."""
Action = Literal["read", "create", "edit", "delete"]
ObjectAccess = Callable[[str, Action], bool]
"""From object name and what is to be done with its records to whether the user may do it."""

FIELD_DEFAULTS: dict[str, Any] = {
    "aggregatable": True,
    "aiPredictionField": False,
    "autoNumber": False,
    "byteLength": 0,
    "calculated": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "caseSensitive": False,
    "compoundFieldName": None,
    "controllerName": None,
    "createable": False,
    "custom": False,
    "defaultValue": None,
    "defaultValueFormula": None,
    "defaultedOnCreate": False,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "digits": 0,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "externalId": False,
    "extraTypeInfo": None,
    "filterable": True,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "groupable": True,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "idLookup": False,
    "inlineHelpText": None,
    "label": "",
    "length": 0,
    "mask": None,
    "maskType": None,
    "name": "",
    "nameField": False,
    "namePointing": False,
    "nillable": False,
    "permissionable": False,
    "picklistValues": [],
    "polymorphicForeignKey": False,
    "precision": 0,
    "queryByDistance": False,
    "referenceTargetField": None,
    "referenceTo": [],
    "relationshipName": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "restrictedPicklist": False,
    "scale": 0,
    "searchPrefilterable": False,
    "soapType": "xsd:string",
    "sortable": True,
    "type": "string",
    "unique": False,
    "updateable": False,
    "writeRequiresMasterRead": False,
}

_GLOBAL_FLAGS: dict[str, Any] = {
    "activateable": False,
    "associateEntityType": None,
    "associateParentEntity": None,
    "createable": True,
    "custom": False,
    "customSetting": False,
    "deepCloneable": False,
    "deletable": True,
    "deprecatedAndHidden": False,
    "feedEnabled": True,
    "hasSubtypes": False,
    "isInterface": False,
    "isSubtype": False,
    "layoutable": True,
    "mergeable": True,
    "mruEnabled": True,
    "queryable": True,
    "replicateable": True,
    "retrieveable": True,
    "searchable": True,
    "triggerable": True,
    "undeletable": True,
    "updateable": True,
}
_FLAGS_OF_ACTIONS: dict[str, Action] = {
    "createable": "create",
    "updateable": "edit",
    "deletable": "delete",
    "undeletable": "delete",
    "mergeable": "delete",
}
_MASTER_RECORD_TYPE = "012000000000000AAA"


def describe_field(field: SObjectField, *, editable: bool) -> dict[str, Any]:
    """One entry of ``fields``."""
    said: dict[str, Any] = {
        **field.extra,
        "autoNumber": field.auto_number,
        "calculated": field.calculated,
        "caseSensitive": field.case_sensitive,
        "cascadeDelete": field.cascade_delete,
        "compoundFieldName": field.compound_field_name,
        "controllerName": field.controller_name,
        "createable": field.createable and editable,
        "custom": field.custom,
        "defaultValue": field.default_value,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": field.dependent_picklist,
        "externalId": field.external_id,
        "filterable": field.filterable,
        "groupable": field.groupable,
        "idLookup": field.id_lookup,
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "nameField": field.name_field,
        "nillable": field.nillable,
        "picklistValues": [
            {
                "active": entry.active,
                "defaultValue": entry.default,
                "label": entry.label,
                "validFor": entry.valid_for,
                "value": entry.value,
            }
            for entry in field.picklist_values
        ],
        "precision": field.precision,
        "referenceTo": field.reference_to,
        "relationshipName": field.relationship_name,
        "restrictedPicklist": field.restricted_picklist,
        "scale": field.scale,
        "soapType": field.soap_type,
        "sortable": field.sortable,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable and editable,
    }
    return {key: said.get(key, default) for key, default in FIELD_DEFAULTS.items()}


_EVERY_URL = ("rowTemplate", "describe", "sobject")
_LAYOUT_URLS = ("compactLayouts", "layouts")
_RECORD_URLS = (*_LAYOUT_URLS, "approvalLayouts", "listviews", "quickActions")
_URLS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Account", "Campaign", "Contact", "Lead", "Opportunity"), _RECORD_URLS),
    "CampaignMember": _LAYOUT_URLS,
    "Case": (*_RECORD_URLS, "caseArticleSuggestions", "caseRowArticleSuggestions"),
    "Event": (*_LAYOUT_URLS, "quickActions", "eventSeriesUpdates"),
    "Task": (*_LAYOUT_URLS, "quickActions"),
    "User": (*_LAYOUT_URLS, "quickActions", "namedLayouts", "passwordUtilities"),
}
_URL_ENDINGS = {
    "approvalLayouts": "/describe/approvalLayouts",
    "caseArticleSuggestions": "/suggestedArticles",
    "caseRowArticleSuggestions": "/{ID}/suggestedArticles",
    "compactLayouts": "/describe/compactLayouts",
    "describe": "/describe",
    "eventSeriesUpdates": "/{ID}/fromThisEventOnwards",
    "layouts": "/describe/layouts",
    "listviews": "/listviews",
    "namedLayouts": "/describe/namedLayouts/{LayoutName}",
    "passwordUtilities": "/{ID}/password",
    "quickActions": "/quickActions",
    "rowTemplate": "/{ID}",
    "sobject": "",
}


def describe_brief(sobject: SObjectType, version: str, allowed: ObjectAccess) -> dict[str, Any]:
    """The object's entry in the global describe, and ``objectDescribe`` of ``/sobjects/X``."""
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    flags = {key: sobject.extra.get(key, default) for key, default in _GLOBAL_FLAGS.items()}
    for flag, action in _FLAGS_OF_ACTIONS.items():
        flags[flag] = flags[flag] and allowed(sobject.name, action)
    offered = _URLS.get(sobject.name, _RECORD_URLS if sobject.custom else ())
    urls = {name: f"{base}{_URL_ENDINGS[name]}" for name in (*offered, *_EVERY_URL)}
    brief = {
        **flags,
        "custom": sobject.custom,
        "keyPrefix": sobject.key_prefix,
        "label": sobject.label,
        "labelPlural": sobject.label_plural,
        "name": sobject.name,
    }
    return {**dict(sorted(brief.items())), "urls": urls}


def describe_global(schema: Schema, version: str, allowed: ObjectAccess) -> dict[str, Any]:
    """``GET /sobjects``: the objects that the user may read."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [
            describe_brief(sobject, version, allowed)
            for sobject in sorted(schema.sobjects.values(), key=lambda each: each.name)
            if allowed(sobject.name, "read")
        ],
    }


def describe_sobject(
    sobject: SObjectType,
    version: str,
    *,
    visible: Access,
    editable: Access,
    allowed: ObjectAccess,
    instance_url: str,
) -> dict[str, Any]:
    """``GET /sobjects/X/describe``; fields that the user may not see are absent."""
    brief = describe_brief(sobject, version, allowed)
    urls = brief.pop("urls")
    layout = f"{urls['describe']}/layouts/{_MASTER_RECORD_TYPE}"
    if "quickActions" in urls:
        urls["uiDetailTemplate"] = f"{instance_url}/{{ID}}"
        urls["uiEditTemplate"] = f"{instance_url}/{{ID}}/e"
        urls["uiNewRecord"] = f"{instance_url}/{sobject.key_prefix}/e"
    full = {
        **brief,
        "actionOverrides": [],
        "childRelationships": [
            {
                "cascadeDelete": child.cascade_delete,
                "childSObject": child.child_sobject,
                "deprecatedAndHidden": False,
                "field": child.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.relationship_name,
                "restrictedDelete": False,
            }
            for child in sobject.child_relationships
        ],
        "compactLayoutable": sobject.extra.get("compactLayoutable", False),
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [
            describe_field(field, editable=editable(sobject.name, field.name))
            for field in sobject.fields.values()
            if visible(sobject.name, field.name)
        ],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": _MASTER_RECORD_TYPE,
                "urls": {"layout": layout},
            }
        ],
        "searchLayoutable": sobject.extra.get("searchLayoutable", False),
        "sobjectDescribeOption": "FULL",
        "supportedScopes": sobject.extra.get("supportedScopes", []),
    }
    return {**dict(sorted(full.items())), "urls": urls}
