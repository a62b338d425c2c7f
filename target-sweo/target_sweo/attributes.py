"""The workspace's attributes as a mapping needs them: checked, and made where they are missing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping as MappingOf, Sequence
from typing import Any

from crosswalk.errors import FatalError, UnknownOutcomeError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Field, Mapping, Side
from crosswalk.values import Kind, kind_of
from crosswalk.values.conversion import can_meet
from sweo_client import SweoClient, SweoRefusal
from sweo_client.fields import (
    ATTRIBUTE_LIMIT,
    STRING_LENGTH,
    custom_field,
    field_types,
    missing_attributes,
    model_of,
)
from sweo_client.query import data_attributes
from sweo_client.slips import slip_of
from sweo_client.write import create_attribute, unarchive_attribute

Attribute = MappingOf[str, Any]


class Attributes:
    """Data attributes of companies and contacts; looked up once a run, in one call.

    ``mappings`` are all that the run may write, which share the workspace's room for attributes.
    """

    def __init__(
        self,
        client: SweoClient,
        logger: logging.Logger,
        *,
        dry_run: bool = False,
        mappings: Sequence[Mapping] = (),
    ) -> None:
        self._client = client
        self._dry_run = dry_run
        self._mappings = mappings
        self._logger = logger
        self._known: list[Attribute] | None = None

    def of(self, model: str) -> dict[str, FieldType]:
        """The fields of a model by name, standard and custom."""
        return field_types(model, self._attributes())

    def ensure(self, mapping: Mapping, incoming: MappingOf[str, FieldType]) -> dict[str, FieldType]:
        """Return the types of the incoming and the match fields, making what is missing.

        Raises:
            FatalError: With every mistake; nothing has been made then.
        """
        model = model_of(mapping.sweo)
        known = self.of(model)
        missing = {n: source for n, source in incoming.items() if n not in known}
        mistakes = [*self._unfit(mapping, incoming, known), *self._misnamed(mapping, missing)]
        mistakes += [
            f"`{m.sweo}`, the match field, does not exist in Sweo and no field is mapped to it"
            for m in mapping.match
            if m.sweo not in known and m.sweo not in incoming
        ]
        if mistakes:
            raise FatalError(f"Mapping `{mapping.name}` cannot be written: {'; '.join(mistakes)}.")
        self._refuse_beyond_limit(mapping, missing)
        if self._dry_run:
            known |= {name: new_field(name, source) for name, source in missing.items()}
            missing = {}
        for name, source in missing.items():
            self._make(model, new_field(name, source), origin_of(mapping, name))
        known = known if self._dry_run else self.of(model)
        wanted = [*incoming, *(m.sweo for m in mapping.match)]
        return {name: known[name] for name in wanted}

    def _unfit(
        self,
        mapping: Mapping,
        incoming: MappingOf[str, FieldType],
        known: MappingOf[str, FieldType],
    ) -> Iterable[str]:
        archived = self._archived(model_of(mapping.sweo))
        keys = {match.sweo for match in mapping.match}
        for name, source in incoming.items():
            field = known.get(name) or (
                custom_field(archived[name]) if name in archived else new_field(name, source)
            )
            place = _place(mapping, name)
            if not field.writable and not (field.createable and name in keys):
                why = (
                    "is set when the record is made and never changed"
                    if field.createable
                    else "cannot be written"
                )
                yield f"`{name}`{place} {why} in Sweo: remove its line or let it flow to Salesforce"
            elif not can_meet(source, field):
                yield (
                    f"`{name}`{place} is {field.type} in Sweo and takes no value of the Salesforce "
                    f"type {source.type}"
                )

    def _misnamed(self, mapping: Mapping, missing: MappingOf[str, FieldType]) -> Iterable[str]:
        model = model_of(mapping.sweo)
        fields = self.of(model)
        archived = self._archived(model)
        elsewhere = {
            str(a["name"]) for a in self._attributes() if a.get("custom") and a["model"] != model
        }
        for name in missing:
            place = _place(mapping, name)
            declared = _declared(mapping, name)
            near = slip_of(name, fields)
            if name in archived:
                continue
            if name in elsewhere:
                yield (
                    f"`{name}`{place} is the name of an attribute of the other model, and Sweo "
                    "takes a name once: choose another"
                )
            elif near and not (declared and declared.create):
                yield (
                    f"`{name}`{place} does not exist in Sweo and is close to `{near}`: correct it, "
                    "or write `create: true` in its line to make a new attribute"
                )

    def _refuse_beyond_limit(self, mapping: Mapping, missing: MappingOf[str, FieldType]) -> None:
        """The other mappings' turn may not have come yet; what they need is counted too."""
        if not missing:
            return
        used = sum(1 for a in self._attributes() if a.get("custom") and not a.get("archived"))
        needed = dict.fromkeys(missing)
        for other in self._mappings:
            if other.name != mapping.name:
                needed |= dict.fromkeys(missing_attributes(other, self.of(model_of(other.sweo))))
        if used + len(needed) > ATTRIBUTE_LIMIT:
            raise FatalError(
                f"Sweo takes {ATTRIBUTE_LIMIT} custom attributes and has {used}, but the mappings "
                f"need {len(needed)} more ({', '.join(needed)}): archive some in Sweo, or map "
                "fewer fields."
            )

    def _make(self, model: str, field: FieldType, origin: str) -> None:
        archived = self._archived(model).get(field.name)
        try:
            if archived is not None:
                unarchive_attribute(self._client, archived["id"])
                self._logger.info("Sweo attribute `%s` is in use again.", field.name)
            else:
                create_attribute(self._client, model, field, origin)
                self._logger.info(
                    "Sweo attribute `%s` (%s) of %s was made.", field.name, field.type, model
                )
        except SweoRefusal as refusal:
            raise FatalError(
                f"Sweo did not make the attribute `{field.name}` ({refusal.code}): "
                f"{refusal.verdict.remedy}"
            ) from refusal
        except UnknownOutcomeError:
            # An attribute made twice is refused, so that looking is enough to know.
            self._known = None
            if field.name not in self.of(model):
                raise
        self._known = None

    def _archived(self, model: str) -> dict[str, Attribute]:
        return {
            str(a["name"]): a
            for a in self._attributes()
            if a.get("model") == model and a.get("custom") and a.get("archived")
        }

    def _attributes(self) -> list[Attribute]:
        if self._known is None:
            self._known = list(data_attributes(self._client))
        return self._known


def new_field(name: str, source: FieldType) -> FieldType:
    """The custom attribute that holds what ``source`` holds. Its type can never be changed."""
    data_type, options = _type_for(source)
    return FieldType(
        side=Side.SWEO,
        name=name,
        type=data_type,
        length=STRING_LENGTH if data_type == "string" else None,
        options=options,
        restricted=options is not None,
        custom=True,
    )


def _type_for(source: FieldType) -> tuple[str, tuple[str, ...] | None]:
    kind = kind_of(source)
    if kind is Kind.BOOLEAN:
        return "boolean", None
    if kind is Kind.NUMBER:
        whole = source.type in ("int", "long", "integer") or source.scale == 0
        return ("integer" if whole else "float"), None
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        return "date", None
    one_of_many = kind is Kind.TEXT and source.restricted and len(source.options or ()) >= 2
    return ("options", source.options) if one_of_many else ("string", None)


def origin_of(mapping: Mapping, name: str) -> str:
    """The description of a made attribute, for whoever finds it in Sweo.

    Such as ``From Salesforce Account.Industry, by Sweo Sync.``
    """
    declared = _declared(mapping, name)
    names = (declared.first_of or (declared.salesforce,)) if declared else ()
    fields = ", else ".join(f"{mapping.salesforce}.{each}" for each in names)
    org = f" (org {mapping.org})" if mapping.org else ""
    what = " (the parts that are missing)" if declared and declared.missing_parts else ""
    return f"From Salesforce{org} {fields or mapping.salesforce}{what}, by Sweo Sync."


def _declared(mapping: Mapping, name: str) -> Field | None:
    return next((f for f in mapping.fields if f.sweo == name), None)


def _place(mapping: Mapping, name: str) -> str:
    declared = _declared(mapping, name)
    return f" (line {declared.line})" if declared and declared.line else ""
