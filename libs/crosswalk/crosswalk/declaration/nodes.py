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
        self.name = name
        self.line = line
        self.problems = problems
        self.field: str | None = None

    def wrong(self, wrong: str, right: str | None, line: int | None) -> None:
        """Note a mistake; without a line of its own it stands where the entry does."""
        self.problems.add(wrong, right, line=line or self.line, mapping=self.name, field=self.field)

    def known_keys(self, node: Node, known: Collection[str]) -> None:
        """Note every key that nobody reads."""
        for key in node:
            if key not in known:
                self.wrong(f"unknown setting {key}", one_of(key, known), line_of(node, key))

    def choice(self, node: Node, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
        """One word of an enumeration."""
        if key not in node:
            return default
        value = node[key]
        words = [str(choice.value) for choice in choices]
        if isinstance(value, str) and value in words:
            return choices(str(value))
        self.wrong(f"unknown {key} {value}", one_of(value, words), line_of(node, key))
        return default

    def flag(self, node: Node, key: str, *, default: bool) -> bool:
        """True or false."""
        value = node.get(key, default)
        if isinstance(value, (bool, int)) and value in (True, False):
            return bool(value)
        self.wrong(f"{key} is true or false", None, line_of(node, key))
        return default

    def text(self, node: Node, key: str, what: str) -> str | None:
        """A name that must be there; ``what`` says what it is the name of."""
        value = node.get(key)
        if isinstance(value, str) and value:
            return str(value)
        if key in node:
            self.wrong(f"{key} is not a name", f"it is {what}", line_of(node, key))
        else:
            self.wrong(f"{key} is missing", f"it is {what}", None)
        return None

    def names(self, node: Node, key: str, what: str) -> tuple[str, ...]:
        """A list of names, none of them twice; ``what`` says what they are."""
        declared, line = node[key], line_of(node, key)
        if isinstance(declared, list) and declared:
            names = [str(name) for name in declared if isinstance(name, str) and name]
            if len(names) == len(declared) == len(set(names)):
                return tuple(names)
        self.wrong(f"{key} is not a list of names", f"it is {what}", line)
        return ()

    def salesforce_field(self, node: Node, what: str) -> str | None:
        """The API name of a field under ``salesforce``, perhaps over relationships."""
        name = self.text(node, "salesforce", what)
        return name and self.field_name(name, what, line_of(node, "salesforce"))

    def field_name(self, name: str, what: str, line: int | None) -> str | None:
        """``name`` where it is the API name of a field, perhaps over relationships."""
        parts = name.split(".")
        if not all(_API_NAME.fullmatch(part) for part in parts):
            self.wrong(f"{name} is not the API name of a Salesforce field", f"it is {what}", line)
            return None
        if len(parts) - 1 > _MAX_RELATIONSHIPS:
            self.wrong(
                f"{name} reaches over {len(parts) - 1} relationships",
                f"SOQL reaches over {_MAX_RELATIONSHIPS} at most",
                line,
            )
            return None
        return name

    def sweo_field(self, node: Node, key: str = "sweo") -> str | None:
        """The name of a Sweo attribute."""
        name = self.text(node, key, "the name of a Sweo attribute")
        if name and not _ATTRIBUTE_NAME.fullmatch(name):
            self.wrong(
                f"{name} cannot be the name of a Sweo attribute",
                "it is made of letters, digits, spaces, -, _ and currency symbols",
                line_of(node, key),
            )
            return None
        return name
