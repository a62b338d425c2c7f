"""The same as a project of the `sf` command: files to review, to keep in git and to deploy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as Xml

from crosswalk.errors import FatalError
from salesforce_client.connection import API_VERSION

from sweo_sync.setup.rights import ObjectRight, Rights
from sweo_sync.setup.wanted import WantedField

PERMISSION_SET: Final = "Sweo_Sync"
PERMISSION_SET_LABEL: Final = "Sweo Sync"
_NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"
_SOURCE: Final = Path("force-app/main/default")


def write_project(folder: Path, fields: Sequence[WantedField], rights: Rights) -> list[Path]:
    """Write what is not there yet, and return the files that changed.

    ``rights`` are those to the objects and fields that are there already.

    A permission set that exists keeps everything else that it grants. Nothing is deleted, and no
    page layout is touched.

    Raises:
        FatalError: a file cannot be written, or is not XML.
    """
    try:
        return [path for path, text in _files(folder, fields, rights) if _write(path, text)]
    except OSError as error:
        raise FatalError(f"{folder} cannot be written ({error.strerror}).") from None


def _files(
    folder: Path, fields: Sequence[WantedField], rights: Rights
) -> Iterator[tuple[Path, str]]:
    root = folder / _SOURCE
    package = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "sourceApiVersion": API_VERSION,
    }
    project = folder / "sfdx-project.json"
    if not project.exists():
        yield project, json.dumps(package, indent=2) + "\n"
    for field in fields:
        name = f"{field.name}.field-meta.xml"
        yield root / "objects" / field.table / "fields" / name, _text(_field(field))
    permissions = root / "permissionsets" / f"{PERMISSION_SET}.permissionset-meta.xml"
    yield permissions, _text(_permission_set(permissions, fields, rights))


def _field(field: WantedField) -> Xml.Element:
    required = {} if field.type_name == "Checkbox" else {"required": False}
    return _element(
        "CustomField", {"fullName": field.name, **field.metadata, **required}, namespace=_NAMESPACE
    )


def _permission_set(path: Path, fields: Sequence[WantedField], rights: Rights) -> Xml.Element:
    Xml.register_namespace("", _NAMESPACE)
    own: Xml.Element
    if path.exists():
        try:
            own = Xml.parse(path).getroot()  # noqa: S314 - as above
        except Xml.ParseError:
            raise FatalError(f"{path} is not XML; mend or delete it.") from None
    else:
        own = _element("PermissionSet", {}, namespace=_NAMESPACE)
    for name, right in rights.objects.items():
        _allow(own, "objectPermissions", "object", name, _object_flags(right))
    edited = rights.fields | {each.permission: True for each in fields}
    for name, edit in edited.items():
        _allow(own, "fieldPermissions", "field", name, {"editable": edit, "readable": True})
    if rights.objects:
        _allow(own, "userPermissions", "name", "ApiEnabled", {"enabled": True})
    if rights.edit_tasks:
        _allow(own, "userPermissions", "name", "EditTask", {"enabled": True})
    if own.find(f"{{{_NAMESPACE}}}label") is None:
        own.append(_element("label", PERMISSION_SET_LABEL, namespace=_NAMESPACE))
    # The elements of one name must stand together; Salesforce writes them by name.
    own[:] = sorted(own, key=lambda each: each.tag)
    return own


def _object_flags(right: ObjectRight) -> dict[str, bool]:
    return {
        "allowCreate": right.create,
        "allowDelete": right.delete,
        "allowEdit": right.edit or right.delete,
        "allowRead": True,
        "modifyAllRecords": False,
        "viewAllRecords": True,
    }


def _allow(own: Xml.Element, kind: str, key: str, name: str, flags: Mapping[str, bool]) -> None:
    """Let a permission set allow this much; what it allows beyond that stays."""
    for each in own.findall(f"{{{_NAMESPACE}}}{kind}"):
        if each.findtext(f"{{{_NAMESPACE}}}{key}") == name:
            break
    else:
        own.append(_element(kind, {**flags, key: name}, namespace=_NAMESPACE))
        return
    for flag, wanted in flags.items():
        held = each.find(f"{{{_NAMESPACE}}}{flag}")
        if held is None:
            each.append(_element(flag, wanted, namespace=_NAMESPACE))
        elif wanted:
            held.text = "true"
    each[:] = sorted(each, key=lambda one: one.tag)


def _element(name: str, value: Any, *, namespace: str) -> Xml.Element:
    element = Xml.Element(f"{{{namespace}}}{name}")
    if isinstance(value, Mapping):
        for key in sorted(value):
            several = value[key] if isinstance(value[key], list) else [value[key]]
            for each in several:
                element.append(_element(key, each, namespace=namespace))
    else:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)
    return element


def _text(element: Xml.Element) -> str:
    Xml.register_namespace("", _NAMESPACE)
    Xml.indent(element, "    ")
    body = Xml.tostring(element, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _write(path: Path, text: str) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True
