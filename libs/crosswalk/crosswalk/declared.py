"""What all parts of a declaration need: plain YAML data read with its place and its mistakes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping as MappingOf
from enum import Enum
from typing import TypeVar

from crosswalk.problems import Problems, one_of

# Salesforce API names. They stand in SOQL unquoted, so nothing else may pass.
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_{1,2}[A-Za-z0-9]+)*")
_MAX_RELATIONSHIPS = 5
# Sweo takes alphanumeric characters, currency symbols, spaces, hyphens and underscores; a point
# stands in standard names only, such as location.country.
_ATTRIBUTE_NAME = re.compile(r"[\w$£€¥-](?:[\w$£€¥ .-]*[\w$£€¥-])?")

_Choice = TypeVar("_Choice", bound=Enum)
Node = MappingOf[object, object]


def line_of(container: object, key: object) -> int | None:
    """The line, from 1, on which a key of a map or an item of a list stands in its file.

    None for data that was not read from YAML, and for keys that a YAML merge brought in.
    """
    marks = getattr(container, "lc", None)
    if marks is None:
        return None
    try:
        line = marks.item(key)[0] if isinstance(key, int) else marks.key(key)[0]
    except (KeyError, IndexError, TypeError):
        return None
    return int(line) + 1


def is_api_name(name: str) -> bool:
    """Whether ``name`` may stand in SOQL as the name of an object or a field."""
    return _API_NAME.fullmatch(name) is not None


class NodeReader:
    """Reads values out of one entry and notes every mistake with its place.

    ``line`` is where the entry stands, for what has no line of its own; ``field`` is the entry
    under ``fields`` that is being read.
    """

    def __init__(self, name: str, line: int | None, problems: Problems) -> None:
        self._name = name
        self._line = line
        self._problems = problems
        self._field: str | None = None

    def _wrong(self, wrong: str, right: str | None, line: int | None) -> None:
        self._problems.add(
            wrong, right, line=line or self._line, mapping=self._name, field=self._field
        )

    def _known_keys(self, node: Node, known: Collection[str]) -> None:
        for key in node:
            if key not in known:
                self._wrong(f"unknown setting {key}", one_of(key, known), line_of(node, key))

    def _choice(self, node: Node, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
        if key not in node:
            return default
        value = node[key]
        words = [str(choice.value) for choice in choices]
        if isinstance(value, str) and value in words:
            return choices(str(value))
        self._wrong(f"unknown {key} {value}", one_of(value, words), line_of(node, key))
        return default

    def _flag(self, node: Node, key: str, *, default: bool) -> bool:
        value = node.get(key, default)
        if isinstance(value, (bool, int)) and value in (True, False):
            return bool(value)
        self._wrong(f"{key} is true or false", None, line_of(node, key))
        return default

    def _text(self, node: Node, key: str, what: str) -> str | None:
        value = node.get(key)
        if isinstance(value, str) and value:
            return str(value)
        if key in node:
            self._wrong(f"{key} is not a name", f"it is {what}", line_of(node, key))
        else:
            self._wrong(f"{key} is missing", f"it is {what}", None)
        return None

    def _salesforce_field(self, node: Node, what: str) -> str | None:
        name = self._text(node, "salesforce", what)
        if name is None:
            return None
        parts = name.split(".")
        line = line_of(node, "salesforce")
        if not all(_API_NAME.fullmatch(part) for part in parts):
            self._wrong(f"{name} is not the API name of a Salesforce field", f"it is {what}", line)
            return None
        if len(parts) - 1 > _MAX_RELATIONSHIPS:
            self._wrong(
                f"{name} reaches over {len(parts) - 1} relationships",
                f"SOQL reaches over {_MAX_RELATIONSHIPS} at most",
                line,
            )
            return None
        return name

    def _sweo_field(self, node: Node) -> str | None:
        name = self._text(node, "sweo", "the name of a Sweo attribute")
        if name and not _ATTRIBUTE_NAME.fullmatch(name):
            self._wrong(
                f"{name} cannot be the name of a Sweo attribute",
                "it is made of letters, digits, spaces, -, _ and currency symbols",
                line_of(node, "sweo"),
            )
            return None
        return name
