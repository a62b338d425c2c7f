"""The fields of one stream as the exchange works with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping as MappingOf
from dataclasses import dataclass

from crosswalk.fieldtype import FieldType
from crosswalk.ledger import Base
from crosswalk.mapping import Create, Direction, Field, Mapping
from crosswalk.match import normalise
from crosswalk.merge import ABSENT, Known
from crosswalk.values import Canonical, Render, agreement, can_meet, kind_of, renderer
from crosswalk.wire import StreamNote

from singer_runtime.context import RunContext

DRIFTED = "#"
"""In place of what a one-way base remembers of X: somebody changed Y, and X's value goes there."""

PARENT_BASE = "parent"
"""Under this name a base on the Salesforce side remembers which account a contact belongs to."""


@dataclass(slots=True)
class Rule:
    """One field that flows to Y. ``name`` is its name there and in the record.

    ``own`` and ``render`` are there once the destination was asked for its types; ``number`` is
    None for a definition that never had a base. ``fills`` says that it is written only where Y
    has no value.
    """

    field: Field
    name: str
    two_way: bool
    incoming: FieldType
    fills: bool = False
    number: str | None = None
    own: FieldType | None = None
    render: Render | None = None
    agree: Callable[[Canonical, Canonical], bool] | None = None


class RuleBook:
    """All rules of one stream. Nothing is asked of the destination before ``prepare``.

    ``rules`` are of fields that flow to Y; ``at_create`` are of those that only new records get.
    ``only_reads`` says that the records' other halves are in an org that nothing is written to:
    then Y, the primary org, is not asked for anything.
    """

    def __init__(
        self,
        run: RunContext,
        mapping: Mapping,
        note: StreamNote,
        incoming: MappingOf[str, FieldType],
    ) -> None:
        self.run = run
        self.mapping = mapping
        self.note = note
        self.incoming = incoming
        self.prepared = False
        self.only_reads = mapping.is_only_read_on(run.y)
        wish = mapping.create[run.y]
        self.may_create = wish is Create.ALWAYS or (wish is Create.IMPORT and run.importing)
        carried = [
            Rule(
                field=field,
                name=field.on(run.y),
                two_way=field.direction is Direction.BOTH and not field.fills,
                incoming=incoming[field.on(run.y)],
                fills=field.fills,
            )
            for field in mapping.flowing_to(run.y)
            if field.on(run.y) in incoming
        ]
        self.rules = [rule for rule in carried if rule.field.direction.flows_to(run.y)]
        self.at_create = [rule for rule in carried if not rule.field.direction.flows_to(run.y)]
        self._recall_numbers()

    def _recall_numbers(self) -> None:
        """Take each field's number as it was last known, until Y's types say otherwise."""
        known: dict[tuple[str, str, str, str], str] = {}
        for row in self.run.ledger.field_rows(self.mapping.name):
            kinds = {"salesforce": row.salesforce_kind, "sweo": row.sweo_kind}
            known[row.salesforce, row.sweo, row.direction, kinds[self.run.x.value]] = str(
                row.number
            )
        for rule in [*self.rules, *self.at_create]:
            rule.number = known.get(
                (
                    rule.field.salesforce,
                    rule.field.sweo,
                    rule.field.direction.value,
                    kind_of(rule.incoming).value,
                )
            )

    def prepare(self) -> None:
        """Ask the destination for its types, once, and build what renders and compares.

        Raises:
            FatalError: with every mistake that only this side could know.
        """
        if self.prepared:
            return
        self._check_instance()
        filled = {rule.name for rule in self.rules if rule.fills}
        declared = {name: kind for name, kind in self.incoming.items() if name not in filled}
        own = self.run.destination.prepare(self.mapping, self.note, declared)
        self.rules = [rule for rule in self.rules if not rule.fills or _can_fill(rule, own)]
        self.at_create = [rule for rule in self.at_create if rule.name in own]
        zone = self.timezone()
        for rule in [*self.rules, *self.at_create]:
            rule.own = own[rule.name]
            rule.render = renderer(rule.incoming, rule.own, zone)
            rule.agree = self._agreement(rule, rule.own, zone)
            rule.number = str(
                self.run.ledger.field_number(
                    self.mapping.name,
                    rule.field.salesforce,
                    rule.field.sweo,
                    rule.field.direction.value,
                    {
                        self.run.x: kind_of(rule.incoming).value,
                        self.run.y: kind_of(rule.own).value,
                    },
                )
            )
        self.prepared = True
        self._retry_quarantine_where_types_changed()

    def _agreement(
        self, rule: Rule, own: FieldType, zone: str | None
    ) -> Callable[[Canonical, Canonical], bool]:
        """Whether two values say the same; match values also where they match."""
        by_value = agreement(rule.incoming, own, zone)
        how = next(
            (
                match.normalise
                for match in self.mapping.match
                if (match.salesforce, match.sweo) == (rule.field.salesforce, rule.field.sweo)
            ),
            None,
        )
        if how is None:
            return by_value

        def match_or_agree(v: Canonical, y: Canonical) -> bool:
            key = normalise(v, how)
            return by_value(v, y) or (key is not None and key == normalise(y, how))

        return match_or_agree

    def _check_instance(self) -> None:
        """Never write into an org or a workspace that this ledger does not belong to."""
        ledger, destination = self.run.ledger, self.run.destination
        told = destination.credentials()
        seal = self.run.hashes.of_key(told)
        name = f"credentials_{self.run.y.value}"
        if told and ledger.remembered(name) == seal:
            return
        ledger.bind(self.run.y, destination.instance())
        ledger.remember(name, seal)

    def _retry_quarantine_where_types_changed(self) -> None:
        """What was refused under other types or another mapping deserves another try at once."""
        run = self.run
        facts = [(rule.field, rule.incoming, rule.own) for rule in self.rules]
        seen = run.hashes.of_key(repr(facts))
        name = f"types_{run.direction}_{self.mapping.name}"
        if run.ledger.remembered(name) not in (None, seen):
            run.writer.retry_quarantine(run.direction, self.mapping.name)
        run.ledger.remember(name, seen)

    def timezone(self) -> str | None:
        """The workspace's time zone, from whoever knows it."""
        ledger = self.run.ledger
        zone = self.note.timezone or ledger.remembered("timezone")
        zone = zone or self.run.destination.timezone()
        if zone:
            ledger.remember("timezone", zone)
        return zone

    def token(self, rule: Rule, v: Canonical) -> Canonical:
        """What a base remembers of a value: itself, or a hash where only X owns it."""
        return v if rule.two_way else self.run.hashes.of_value(v)

    def base_x(self, rule: Rule, base: Base) -> Known:
        """What is remembered of X, or ``ABSENT``."""
        if rule.number is None:
            return ABSENT
        return base.get(rule.number, ABSENT)

    def differs(self, rule: Rule, v: Canonical, base: Base) -> bool:
        """Whether ``v`` is not what is remembered of X."""
        remembered = self.base_x(rule, base)
        if rule.two_way:
            remembered = self.recall(remembered, v)
        return remembered is ABSENT or self.token(rule, v) != remembered

    def recall(self, remembered: Known, value: Known) -> Known:
        """What a two-way base remembers, or ``value`` where it remembers the hash of just that.

        Of a person who asked to be forgotten only hashes are left.
        """
        if isinstance(remembered, str) and remembered.startswith("#") and value is not ABSENT:
            return value if self.run.hashes.of_value(value) == remembered else remembered
        return remembered


def _can_fill(rule: Rule, own: MappingOf[str, FieldType]) -> bool:
    """Whether Y takes the key; one that it makes itself (a number, a formula) is left alone."""
    kind = own.get(rule.name)
    return kind is not None and kind.writable and can_meet(rule.incoming, kind)
