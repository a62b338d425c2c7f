"""The settings of one mapping besides its fields: who is made, which records, what belongs."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from crosswalk.condition import pairs_brackets
from crosswalk.declaration.nodes import Node, NodeReader, is_api_name, line_of
from crosswalk.mapping import (
    EVERY_EVENT,
    Constant,
    Create,
    Events,
    Match,
    Normalise,
    Only,
    Parent,
    Side,
)
from crosswalk.naming import DEFAULT_PREFIX, is_prefix
from crosswalk.problems import one_of

PEOPLE = ("contact", "user", "lead")
_MATCH_KEYS = ("salesforce", "sweo", "normalise")
_PARENT_KEYS = ("salesforce", "mapping")
_EVENTS = 'such as [checklist completed, flow started], or "*" for every event'


class OptionsReader(NodeReader):
    """Reads what stands beside ``fields`` in one mapping."""

    def matches(self, node: Node) -> tuple[Match, ...]:
        """``match``: a pair of fields, or a list of them in order of preference."""
        declared = node.get("match")
        example = "such as {salesforce: Email, sweo: email}"
        entries = declared if isinstance(declared, list) else [declared]
        if declared is None or not entries:
            self.wrong("no match field", f"match is a pair of fields {example}", None)
            return ()
        found: list[Match] = []
        for index, entry in enumerate(entries):
            line = line_of(declared, index) if entries is declared else line_of(node, "match")
            if not isinstance(entry, MappingOf):
                self.wrong("match is not a pair of fields", f"it is a pair {example}", line)
                continue
            self.known_keys(entry, _MATCH_KEYS)
            salesforce = self.salesforce_field(entry, "a field of the object itself")
            sweo = self.sweo_field(entry)
            normalise = self.choice(entry, "normalise", Normalise, Normalise.EXACT)
            if salesforce and "." in salesforce:
                self.wrong(
                    f"the match field {salesforce} belongs to a related record",
                    "a match field is a field of the object itself",
                    line_of(entry, "salesforce") or line,
                )
            elif salesforce and sweo:
                match = Match(salesforce, sweo, normalise)
                if any(m.salesforce == match.salesforce and m.sweo == match.sweo for m in found):
                    self.wrong(f"the match {salesforce} and {sweo} stands twice", "keep one", line)
                found.append(match)
        return tuple(found)

    def parent(self, node: Node, sweo: str | None) -> Parent | None:
        """``parent``: the lookup that says to which company a person belongs."""
        if "parent" not in node:
            return None
        declared, line = node["parent"], line_of(node, "parent")
        if not isinstance(declared, MappingOf):
            self.wrong(
                "parent is not a map",
                "it is such as {salesforce: AccountId, mapping: accounts}",
                line,
            )
            return None
        self.known_keys(declared, _PARENT_KEYS)
        lookup = self.salesforce_field(declared, "a lookup of the object, such as AccountId")
        mapping = self.text(declared, "mapping", "the name of a mapping of companies")
        if lookup and "." in lookup:
            self.wrong(
                f"the parent's lookup {lookup} belongs to a related record",
                "it is a lookup of the object itself, such as AccountId",
                line,
            )
            return None
        if sweo and sweo not in PEOPLE:
            self.wrong(
                f"a {sweo} has no parent in Sweo", "only contacts, users and leads have one", line
            )
            return None
        return Parent(lookup, mapping) if lookup and mapping else None

    def create(self, node: Node) -> dict[Side, Create]:
        """``create``: the sides on which a missing record is made, and when."""
        create = {Side.SALESFORCE: Create.NEVER, Side.SWEO: Create.NEVER}
        if "create" not in node:
            return create
        declared, line = node["create"], line_of(node, "create")
        sides = [side.value for side in Side]
        if isinstance(declared, list):
            for side in declared:
                if isinstance(side, str) and side in sides:
                    create[Side(str(side))] = Create.ALWAYS
                else:
                    self.wrong(f"unknown side {side} in create", one_of(side, sides), line)
        elif isinstance(declared, MappingOf):
            self.known_keys(declared, sides)
            for side in Side:
                create[side] = self.choice(declared, side.value, Create, Create.NEVER)
        else:
            self.wrong(
                "create is neither a list nor a map",
                "it is such as [sweo] or {sweo: always, salesforce: import}",
                line,
            )
        return create

    def prefix(self, node: Node) -> str:
        """``prefix``: how the names of fields begin that are made in Salesforce."""
        if "prefix" not in node:
            return DEFAULT_PREFIX
        prefix = node["prefix"]
        if isinstance(prefix, str) and is_prefix(prefix):
            return str(prefix)
        self.wrong(
            "prefix cannot begin the name of a Salesforce field",
            "it is up to 15 letters and digits, a letter first, such as sweo",
            line_of(node, "prefix"),
        )
        return DEFAULT_PREFIX

    def only(self, node: Node) -> Only:
        """``only``: which records are updated and created."""
        if "only" not in node:
            return Only()
        declared, line = node["only"], line_of(node, "only")
        if not isinstance(declared, MappingOf) or not declared:
            self.wrong(
                "only is not a map",
                "it is such as {salesforce: \"Type = 'Customer'\", sweo: {segments: [Paying]}}",
                line,
            )
            return Only()
        self.known_keys(declared, [side.value for side in Side])
        condition = declared.get("salesforce")
        if "salesforce" in declared and not (isinstance(condition, str) and condition.strip()):
            self.wrong(
                "only.salesforce is not a SOQL condition",
                "it is what stands behind WHERE, such as \"Type = 'Customer'\"",
                line_of(declared, "salesforce") or line,
            )
            condition = None
        elif condition and not pairs_brackets(condition):
            self.wrong(
                "the brackets of only.salesforce do not pair",
                "give each ( its ), in order",
                line_of(declared, "salesforce") or line,
            )
            condition = None
        segments: tuple[str, ...] = ()
        if "sweo" in declared:
            inner = declared["sweo"]
            if isinstance(inner, MappingOf) and "segments" in inner:
                self.known_keys(inner, ["segments"])
                segments = self.names(inner, "segments", "names of segments, such as [Paying]")
            else:
                self.wrong(
                    "only.sweo names no segments",
                    "it is such as {segments: [Paying]}",
                    line_of(declared, "sweo") or line,
                )
        lines = {side: line_of(declared, side.value) or line for side in Side}
        return Only(str(condition).strip() if condition else None, segments, lines)

    def constants(self, node: Node, create: MappingOf[Side, Create]) -> dict[str, Constant]:
        """``set``: what new Salesforce records are given besides their fields."""
        if "set" not in node:
            return {}
        declared, line = node["set"], line_of(node, "set")
        if not isinstance(declared, MappingOf):
            self.wrong("set is not a map", "it is such as {RecordTypeId: 012…}", line)
            return {}
        if create[Side.SALESFORCE] is Create.NEVER:
            self.wrong(
                "set gives values to new Salesforce records, and none are made",
                "leave it out, or let create name salesforce",
                line,
            )
        constants: dict[str, Constant] = {}
        for name, value in declared.items():
            place = line_of(declared, name) or line
            if not isinstance(name, str) or not is_api_name(name):
                self.wrong(f"{name} in set is not a field of the object itself", None, place)
            elif not isinstance(value, (str, int, float, bool)):
                self.wrong(f"{name} in set is no plain value", "it is text or a number", place)
            else:
                constants[str(name)] = str(value) if isinstance(value, str) else value
        return constants

    def events(self, node: Node, salesforce: str | None, sweo: str | None) -> Events | None:
        """``events``: which data events become Tasks of the person."""
        if "events" not in node:
            for key in ("events_on_account", "events_per_day"):
                if key in node:
                    self.wrong(f"{key} without events", f"events is {_EVENTS}", line_of(node, key))
            return None
        line = line_of(node, "events")
        names: tuple[str, ...] = (EVERY_EVENT,)
        if node["events"] not in (EVERY_EVENT, [EVERY_EVENT]):
            names = self.names(node, "events", _EVENTS)
        if (
            salesforce
            and sweo
            and (salesforce.lower() not in ("contact", "lead") or sweo not in PEOPLE)
        ):
            self.wrong(
                f"events of a {sweo} cannot stand on the timeline of {salesforce}",
                "only contacts and leads have activities of people",
                line,
            )
            return None
        per_day = node.get("events_per_day")
        if per_day is not None and (not isinstance(per_day, int) or per_day < 1):
            self.wrong(
                "events_per_day is not a number of Tasks",
                "it is 1 or more",
                line_of(node, "events_per_day"),
            )
            per_day = None
        if names == (EVERY_EVENT,) and "events_per_day" not in node:
            self.wrong(
                "every event needs a limit", "add events_per_day, such as 1000 (2 KB a Task)", line
            )
        on_account = self.flag(node, "events_on_account", default=False)
        if on_account and salesforce and salesforce.lower() == "lead":
            self.wrong(
                "a Task of a lead takes no account",
                "leave events_on_account out",
                line_of(node, "events_on_account"),
            )
        return Events(names, on_account, per_day) if names else None
