"""A lead that was converted: its person goes on with the contact (``becomes``).

The link of the lead ends and one of the contact begins, in the mapping that takes over. Values
of the contact overwrite the person's, as at any first meeting that Salesforce wins; but where the
contact still holds what lead and person had agreed on, an edit that the person has had since is
newer, and flows to the contact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crosswalk.ledger import Link, Review
from crosswalk.ledger.commit import Commit, RevisitRow
from crosswalk.mapping import Mapping, Side
from crosswalk.merge import ABSENT

from singer_runtime.destination import Result
from singer_runtime.incoming import Incoming
from singer_runtime.plan import Pair
from singer_runtime.rules import RuleBook

CONVERTED: Final = "converted"


class Conversions:
    """Leads of one stream that became contacts, and contacts of one that were leads."""

    def __init__(self, book: RuleBook) -> None:
        self.run = book.run
        self.book = book
        self.mapping = book.mapping
        known = book.run.config.enabled
        self._heir = next((m for m in known if m.name == self.mapping.becomes), None)
        self._former = [m for m in known if m.becomes == self.mapping.name]

    def convert(self, lead: Incoming, link: Link | None, batch: Commit) -> None:
        """Hand a converted lead's person to the contact, then end the lead's link.

        A run that dies between the two does both again, which changes nothing more.
        """
        batch.no_longer_waiting.append((Side.SALESFORCE, lead.id))
        if link is None:
            return
        if self._heir is not None and lead.becomes is not None:
            result = self._hand_over(self._heir, link.sweo_id, lead.becomes, batch)
            if result in (Result.UNKNOWN, Result.NOT_SENT):
                self.run.counts.deferred += 1
                batch.revisits.append(
                    RevisitRow(self.run.direction, link.mapping, lead.id, "person in doubt")
                )
                return
        self.run.writer.close_link(link, CONVERTED)
        self.run.counts.converted += 1

    def _hand_over(self, heir: Mapping, person: str, contact: str, batch: Commit) -> Result:
        """What became of it; where nobody knows, the lead is visited again."""
        run = self.run
        held = run.ledger.links(heir.name, Side.SALESFORCE, [contact]).get(contact)
        if held is not None:
            if held.sweo_id == person:
                return Result.WRITTEN
            return self._unite(heir, person, held.sweo_id)
        if heir.sweo != self.mapping.sweo:
            outcome = run.destination.take_over(heir, person, None)
            if outcome.result in (Result.UNKNOWN, Result.NOT_SENT):
                return outcome.result
            if outcome.result is not Result.WRITTEN:
                why = outcome.error_message or outcome.error_code
                run.log(
                    f"{self.mapping.name}: {person} cannot become a {heir.sweo} ({why}); contact "
                    f"{contact} is matched like any other."
                )
                return outcome.result
        moved = run.writer.open_link(
            heir.name, contact, person, run.run_id, review=Review.ACCEPTED
        )  # fmt: skip
        if moved is not None:
            for direction, source in ((run.direction, contact), (run.opposite, person)):
                batch.revisits.append(RevisitRow(direction, heir.name, source, CONVERTED))
        return Result.WRITTEN

    def _unite(self, heir: Mapping, person: str, user: str) -> Result:
        """The contact has a person already: the two are one, and Sweo merges them its own way."""
        outcome = self.run.destination.take_over(heir, person, user)
        if outcome.result is Result.WRITTEN:
            self.run.counts.merged += 1
        elif outcome.result is Result.REFUSED:
            self.run.log(
                f"{heir.name}: {person} and {user} are one person, but Sweo does not merge them "
                f"({outcome.error_message or outcome.error_code}); merge them there by hand."
            )
        return outcome.result

    def inherit(self, pairs: Sequence[Pair]) -> None:
        """Take over what a lead and its person had agreed on, where the contact still holds it."""
        new = [pair for pair in pairs if pair.is_new and pair.link.review is Review.ACCEPTED]
        if not new or not self._former:
            return
        persons = {pair.link.sweo_id: pair for pair in new}
        for former in self._former:
            closed = self.run.ledger.closed_links(former.name, Side.SWEO, list(persons))
            for person, link in closed.items():
                if link.closed == CONVERTED:
                    self._inherit(persons[person], link, former)

    def _inherit(self, pair: Pair, former: Link, mapping: Mapping) -> None:
        numbers = {
            row.sweo: str(row.number)
            for row in self.run.ledger.field_rows(mapping.name)
            if row.direction == "both" and str(row.number) in former.base[Side.SALESFORCE]
        }
        for rule in self.book.rules:
            old, new = numbers.get(rule.field.sweo), rule.number
            if not rule.two_way or old is None or new is None or new in pair.link.base[Side.SWEO]:
                continue
            on_x = pair.incoming.values.get(rule.name, ABSENT)
            on_y = pair.y.values.get(rule.name, ABSENT) if pair.y else ABSENT
            ours = on_x if self.run.x is Side.SALESFORCE else on_y
            agreed = former.base[Side.SALESFORCE][old]
            if ours is not ABSENT and self.book.recall(agreed, ours) == ours:
                for side in Side:
                    pair.link.base[side][new] = former.base[side][old]
