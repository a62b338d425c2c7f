"""Recorded answers of a real org, and how the sandbox's answers to the same requests differ.

The recordings ship in the PyPI package ``cumulusci`` (BSD-3) and are read from where it is
installed. A recording names other recordings (``include_file``); ids, versions and the org's host
are elided in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_HOST = "https://orgname.my.salesforce.com"
# An id begins with its object's prefix, which has a digit; field names of 15 letters are no ids.
_ID = re.compile(r"\b(?=[0-9a-zA-Z]{0,2}[0-9])[0-9a-zA-Z]{15}(?:[A-Z0-5]{3})?\b")
_ELIDED_ORG = "00D0xORGID00000000"


@dataclass(frozen=True, eq=False)
class Exchange:
    """One recorded request and its answer; ``answer`` is parsed JSON."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any

    @property
    def place(self) -> str:
        """The request without what differs from org to org."""
        path = re.sub(r"^/services/data/v[\dx.]+", "", self.path).partition("?")[0].rstrip("/")
        return f"{self.method} {_ID.sub('{id}', path)}"


def cassettes(package: Path) -> list[Path]:
    """Every recording in an installed ``cumulusci``, shared ones too."""
    return sorted(
        path
        for path in package.rglob("*.yaml")
        if path.parent.name in ("cassettes", "shared_cassettes")
    )


@cache
def exchanges(cassette: Path, package: Path) -> tuple[Exchange, ...]:
    """The exchanges with an org, in their order; those that carry no JSON are left out."""
    loaded = yaml.load(cassette.read_text(), Loader=_Plain)
    entries = loaded.get("interactions", []) if "interactions" in loaded else [loaded]
    return tuple(each for entry in entries for each in _exchange(entry, package))


class _Plain(yaml.SafeLoader):
    """Leaves dates as text: they are parts of URLs and bodies here."""


_Plain.yaml_implicit_resolvers = {
    key: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _exchange(entry: dict[str, Any], package: Path) -> Iterator[Exchange]:
    if "include_file" in entry:
        shared = package / "tests" / "shared_cassettes" / entry["include_file"]
        if not shared.exists():
            shared = package / "tests" / "cassettes" / entry["include_file"]
        yield from exchanges(shared, package)
        return
    request, response = entry["request"], entry["response"]
    if not request["uri"].startswith(f"{_HOST}/services/data/"):
        return
    try:
        text = response["body"]["string"]
        answer = json.loads(text) if text else None
        body = json.loads(request["body"]) if request.get("body") else None
    except (KeyError, TypeError, ValueError):
        return
    path = _with_version(request["uri"][len(_HOST) :])
    body = json.loads(_with_version(json.dumps(body)))
    yield Exchange(request["method"], path, body, response["status"]["code"], answer)


def _with_version(text: str) -> str:
    return re.sub(r"/services/data/vxx\.0", "/services/data/v62.0", text)


class Replay:
    """Sends recorded requests again, with ids of this org in the place of the recorded ones."""

    def __init__(self, known: dict[str, str]) -> None:
        self._ids = {_ELIDED_ORG: known["organization"], _ELIDED_ORG[:15]: known["organization"]}

    def request_of(self, exchange: Exchange) -> tuple[str, Any]:
        """Path and body with this org's ids."""
        body = json.loads(self._swapped(json.dumps(exchange.body)))
        return self._swapped(exchange.path), body

    def learn(self, recorded: Any, ours: Any) -> None:
        """Remember which of our ids stands for which recorded one."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for key in recorded.keys() & ours.keys():
                self.learn(recorded[key], ours[key])
        elif isinstance(recorded, list) and isinstance(ours, list):
            for one, other in zip(recorded, ours, strict=False):
                self.learn(one, other)
        elif (
            isinstance(recorded, str)
            and isinstance(ours, str)
            and _ID.fullmatch(recorded)
            and _ID.fullmatch(ours)
        ):
            self._ids[recorded] = ours

    def _swapped(self, text: str) -> str:
        return _ID.sub(lambda found: self._ids.get(found[0], found[0]), text)


def differences(recorded: Any, ours: Any, at: str = "") -> Iterator[str]:
    """Where the shapes differ: keys that only one has, values of other types.

    Null fits every type: what a record holds is not its shape. Entries with a ``name``, or
    a ``referenceId``, are held against the entry of the same name, other lists by what their
    entries have in common.
    """
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for key in sorted(recorded.keys() | ours.keys()):
            place = f"{at}.{key}" if at else key
            if key not in ours:
                yield f"{place}: missing"
            elif key not in recorded:
                yield f"{place}: added"
            else:
                yield from differences(recorded[key], ours[key], place)
    elif isinstance(recorded, list) and isinstance(ours, list):
        yield from _differences_of_lists(recorded, ours, at)
    elif recorded is not None and ours is not None and _kind(recorded) != _kind(ours):
        yield f"{at}: {_kind(recorded)} is {_kind(ours)} here"


def _differences_of_lists(recorded: list[Any], ours: list[Any], at: str) -> Iterator[str]:
    named = [_by_name(entries) for entries in (recorded, ours)]
    if named[0] is not None and named[1] is not None:
        yield from differences(named[0], named[1], at)
    elif recorded and ours:
        yield from differences(_merged(recorded), _merged(ours), f"{at}[]")


def _by_name(entries: list[Any]) -> dict[str, Any] | None:
    keys = [
        each.get("name")
        or each.get("referenceId")
        or (each.get("childSObject") and f"{each['childSObject']}.{each['field']}")
        for each in entries
        if isinstance(each, dict)
    ]
    if not entries or len(keys) != len(entries) or not all(keys) or len(set(keys)) != len(keys):
        return None
    return dict(zip(keys, entries, strict=True))


def _merged(entries: list[Any]) -> Any:
    """One entry that has every key of all, so that one odd row does not hide another."""
    if not all(isinstance(each, dict) for each in entries):
        return next((each for each in entries if each is not None), None)
    merged: dict[str, Any] = {}
    for each in entries:
        for key, value in each.items():
            if merged.get(key) is None:
                merged[key] = value
    return merged


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "text", list: "list", dict: "object"}[type(value)]
