"""The same as a project of the `sf` command: files to review, to keep in git and to deploy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as Xml

from crosswalk.errors import FatalError
from salesforce_client.connection import API_VERSION

from sweo_sync.setup.wanted import WantedField

PERMISSION_SET: Final = "Sweo_Sync"
PERMISSION_SET_LABEL: Final = "Sweo Sync"
_NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"
_SOURCE: Final = Path("force-app/main/default")


def write_project(folder: Path, fields: Sequence[WantedField]) -> list[Path]:
    """Write what is not there yet, and return the files that changed.

    A permission set that exists keeps everything else that it grants. Nothing is deleted, and no
    page layout is touched.

    Raises:
        FatalError: a file cannot be written, or is not XML.
    """
    try:
        return [path for path, text in _files(folder, fields) if _write(path, text)]
    except OSError as error:
        raise FatalError(f"{folder} cannot be written ({error.strerror}).") from None


def _files(folder: Path, fields: Sequence[WantedField]) -> Iterator[tuple[Path, str]]:
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
    yield permissions, _text(_permission_set(permissions, fields))


def _field(field: WantedField) -> Xml.Element:
    required = {} if field.type_name == "Checkbox" else {"required": False}
    return _element(
        "CustomField", {"fullName": field.name, **field.metadata, **required}, namespace=_NAMESPACE
    )


def _permission_set(path: Path, fields: Sequence[WantedField]) -> Xml.Element:
    Xml.register_namespace("", _NAMESPACE)
    own: Xml.Element
    if path.exists():
        try:
            own = Xml.parse(path).getroot()  # noqa: S314 - as above
        except Xml.ParseError:
            raise FatalError(f"{path} is not XML; mend or delete it.") from None
    else:
        own = _element("PermissionSet", {}, namespace=_NAMESPACE)
    granted = {
        each.findtext(f"{{{_NAMESPACE}}}field")
        for each in own.findall(f"{{{_NAMESPACE}}}fieldPermissions")
    }
    for field in fields:
        if field.permission not in granted:
            grant = {"editable": True, "field": field.permission, "readable": True}
            own.append(_element("fieldPermissions", grant, namespace=_NAMESPACE))
    if own.find(f"{{{_NAMESPACE}}}label") is None:
        own.append(_element("label", PERMISSION_SET_LABEL, namespace=_NAMESPACE))
    # The elements of one name must stand together; Salesforce writes them by name.
    own[:] = sorted(own, key=lambda each: each.tag)
    return own


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
