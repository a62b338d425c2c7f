"""The entries under ``fields``."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from crosswalk.addresses import is_address
from crosswalk.declaration.nodes import Node, NodeReader, line_of
from crosswalk.mapping import Direction, Field, Side
from crosswalk.naming import salesforce_field_name
from crosswalk.problems import Problems

_KEYS = ("salesforce", "sweo", "direction", "create", "enforce", "first_of", "missing_parts")
_FIELD = "a field such as Industry, or of a related record such as Owner.Email"
_LABEL_JOINT = " | "


class FieldsReader(NodeReader):
    """Reads the fields of one mapping; ``enforce`` is what holds where a line does not say."""

    def __init__(
        self,
        name: str,
        line: int | None,
        problems: Problems,
        *,
        sweo_object: str | None,
        prefix: str,
        enforce: bool,
    ) -> None:
        super().__init__(name, line, problems)
        self._sweo_object = sweo_object
        self._prefix = prefix
        self._enforce = enforce

    def read(self, node: Node) -> list[Field]:
        """The fields that can be told; what is wrong with the others is noted."""
        declared = node.get("fields", [])
        if not isinstance(declared, list):
            self.wrong(
                "fields is not a list",
                "fields is a list such as [{salesforce: Name, sweo: name}]",
                line_of(node, "fields"),
            )
            return []
        found: list[Field] = []
        for index, entry in enumerate(declared):
            line = line_of(declared, index)
            if not isinstance(entry, MappingOf):
                self.wrong("a field is not a map", "it is {salesforce: Name, sweo: name}", line)
                continue
            self.field = _title(entry, index)
            for field in self._entry(entry, line):
                self._check_against(found, field)
                found.append(field)
            self.field = None
        return found

    def _entry(self, entry: Node, line: int | None) -> list[Field]:
        outer, self.line = self.line, line or self.line
        try:
            self.known_keys(entry, _KEYS)
            if "first_of" in entry:
                return self._first_of(entry, line)
            if "missing_parts" in entry:
                self.wrong(
                    "missing_parts is for addresses",
                    "it stands beside first_of: [Account.BillingAddress, MailingAddress]",
                    line_of(entry, "missing_parts"),
                )
            field = self._plain(entry, line)
        finally:
            self.line = outer
        return [field] if field else []

    def _plain(self, entry: Node, line: int | None) -> Field | None:
        sweo = self.sweo_field(entry)
        direction = self.choice(entry, "direction", Direction, Direction.TO_SWEO)
        salesforce: str | None = None
        if "salesforce" not in entry and direction.flows_to(Side.SALESFORCE):
            # A field is made for the attribute, and this is what it is called.
            if sweo and self._sweo_object:
                salesforce = salesforce_field_name(self._sweo_object, sweo, self._prefix)
        else:
            salesforce = self.salesforce_field(entry, _FIELD)
        create = self.flag(entry, "create", default=False)
        enforce = self._enforced(entry, direction)
        if not (salesforce and sweo):
            return None
        field = Field(salesforce, sweo, direction, create, line, enforce=enforce)
        if field.is_related and direction.flows_to(Side.SALESFORCE):
            self.wrong(
                f"{salesforce} belongs to a related record and cannot be written from here",
                "its direction is to_sweo",
                line,
            )
        elif is_address(salesforce):
            self.wrong(
                f"{salesforce} is a compound of several fields",
                f"write first_of: [{salesforce}], or map its parts",
                line,
            )
        return field

    def _enforced(self, entry: Node, direction: Direction) -> bool:
        if direction is not Direction.BOTH:
            return self.flag(entry, "enforce", default=self._enforce)
        if entry.get("enforce"):
            self.wrong(
                "a field that flows both ways is not enforced on one side",
                "give it one direction, or leave enforce out",
                line_of(entry, "enforce"),
            )
        return False

    def _first_of(self, entry: Node, line: int | None) -> list[Field]:
        names = self.names(
            entry, "first_of", "such as [Account.BillingAddress, MailingAddress], in order"
        )
        place = line_of(entry, "first_of")
        known = [name for name in names if self.field_name(name, _FIELD, place)]
        addresses = [is_address(name) for name in known]
        if any(addresses) and not all(addresses):
            self.wrong("first_of mixes addresses and other fields", "use one kind", place)
        if "salesforce" in entry:
            self.wrong("first_of and salesforce stand together", "keep one of them", place)
        direction = self.choice(entry, "direction", Direction, Direction.TO_SWEO)
        if direction is not Direction.TO_SWEO:
            self.wrong("first_of flows to Sweo only", "leave direction out", place)
        sweo = self.sweo_field(entry)
        create = self.flag(entry, "create", default=False)
        enforce = self._enforced(entry, Direction.TO_SWEO)
        if not (sweo and known) or len(known) < len(names):
            return []
        label = _LABEL_JOINT.join(known)
        first_of = tuple(known)
        found = [Field(label, sweo, create=create, line=line, first_of=first_of, enforce=enforce)]
        if "missing_parts" in entry:
            attribute = self.sweo_field(entry, "missing_parts")
            if not all(addresses):
                self.wrong(
                    "missing_parts is for addresses",
                    "leave it out",
                    line_of(entry, "missing_parts"),
                )
            elif attribute:
                found.append(
                    Field(
                        label,
                        attribute,
                        create=create,
                        line=line,
                        first_of=first_of,
                        missing_parts=True,
                        enforce=enforce,
                    )
                )
        return found

    def _check_against(self, earlier: list[Field], field: Field) -> None:
        for other in earlier:
            same_salesforce = other.salesforce.lower() == field.salesforce.lower()
            same_sweo = other.sweo == field.sweo
            where = f" (line {other.line})" if other.line else ""
            if same_salesforce and same_sweo:
                both = other.direction is not field.direction
                self.wrong(
                    f"{field.salesforce} and {field.sweo} stand together twice{where}",
                    "write one line with direction: both" if both else "keep one line",
                    field.line,
                )
                continue
            for side, same in ((Side.SWEO, same_sweo), (Side.SALESFORCE, same_salesforce)):
                if same and field.direction.flows_to(side) and other.direction.flows_to(side):
                    self.wrong(
                        f"two fields flow into {field.on(side)} of {side.value.capitalize()}: "
                        f"{other.on(side.other)}{where} and {field.on(side.other)}",
                        "keep one of them",
                        field.line,
                    )


def _title(entry: Node, index: int) -> str:
    name = entry.get("salesforce") or entry.get("sweo")
    return str(name) if name else f"number {index + 1}"
