"""What must hold when both sides are quiet and both pipelines have run."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from crosswalk.ledger import Ledger, Link
from crosswalk.mapping import Side
from simulation.history import History, Key
from simulation.people import ONE_WAY, SOBJECTS, TWO_WAY, People, shared

Values = dict[str, Any]


class Lost(AssertionError):  # noqa: N818 - what happened, in the words of the report
    """An invariant does not hold."""


class Invariants:
    """Compares both sides, the history of every field, and what the ledger holds."""

    def __init__(
        self, people: People, history: History, ledger: Ledger, mappings: list[dict[str, Any]]
    ) -> None:
        self.people = people
        self.history = history
        self.ledger = ledger
        self.mappings = mappings
        self.companies = {c["id"]: c for c in people.companies_now()}
        self.persons = {p["id"]: p for p in people.persons_now()}

    def check(self) -> None:
        """Look at everything.

        Raises:
            Lost: an invariant does not hold.
        """
        self.kept = self._kept_values()
        self.in_doubt = self._in_doubt()
        self.excused = self._quarantined() | self._held()
        for mapping in self.mappings:
            self._check_mapping(mapping)
        self._check_duplicates()
        self._check_nothing_owed()

    # pairs

    def _check_mapping(self, declared: dict[str, Any]) -> None:
        mapping = declared["name"]
        rows = {row["Id"]: row for row in self.people.rows_now(SOBJECTS[mapping])}
        records = self.companies if mapping == "accounts" else self.persons
        links = self.ledger.links(mapping, Side.SALESFORCE, list(rows))
        for salesforce_id, row in rows.items():
            link = links.get(salesforce_id)
            if link is None:
                self._check_alone(declared, row)
            elif link.sweo_id in records:
                self._check_pair(mapping, link, row, records[link.sweo_id])
            elif link.sweo_id not in self.people.deleted:
                raise Lost(f"{mapping} {salesforce_id} is linked with {link.sweo_id}: not there")

    def _check_alone(self, mapping: dict[str, Any], row: Values) -> None:
        name = mapping["name"]
        former = self.ledger.closed_links(name, Side.SALESFORCE, [row["Id"]]).get(row["Id"])
        if former is not None and former.sweo_id in self.people.deleted:
            return
        # Its other half may have been deleted before the two ever met.
        emails = {person.get("email") for person in self.persons.values()}
        if name != "accounts" and not mapping.get("create") and row["Email"] not in emails:
            return
        raise Lost(f"{name} {row['Id']} is not linked")

    def _check_pair(self, mapping: str, link: Link, row: Values, record: Values) -> None:
        left = self.people.salesforce_values(mapping, row)
        right = self.people.sweo_values(mapping, record)
        for salesforce_name, name in TWO_WAY[mapping]:
            self._check_agreement(mapping, link, (salesforce_name, name), left[name], right[name])
            self._check_history(name, link.salesforce_id, link.sweo_id)
            self._check_policy(mapping, name, link)
        custom = record.get("custom_attributes") or {}
        for salesforce_name, name, _ in ONE_WAY[mapping]:
            value = record[name] if name in record else custom.get(name)
            # A person's Name is made of its parts.
            held = row.get(salesforce_name) or row.get("LastName")
            mine = shared(
                salesforce_name, held if salesforce_name == "Name" else row[salesforce_name]
            )
            self._check_agreement(mapping, link, (salesforce_name, name), mine, value)
        if mapping == "contacts":
            self._check_parent(link, row)

    def _check_agreement(
        self, mapping: str, link: Link, names: tuple[str, str], left: Any, right: Any
    ) -> None:
        excused = {
            ("to_salesforce", mapping, link.sweo_id, names[0]),
            ("to_salesforce", mapping, link.sweo_id, ""),
            ("to_sweo", mapping, link.salesforce_id, names[1]),
            ("to_sweo", mapping, link.salesforce_id, ""),
        } & self.excused
        where = f"{mapping} {link.salesforce_id}/{link.sweo_id} {names[1]}"
        if left != right and not excused:
            raise Lost(f"{where}: {left!r} in Salesforce, {right!r} in Sweo")
        named = {each for each in excused if each[3]}
        if left == right and named:
            raise Lost(f"{where}: both sides agree, and {named} is still in quarantine or held")

    def _check_parent(self, link: Link, row: Values) -> None:
        account = row["AccountId"]
        found = self.ledger.links("accounts", Side.SALESFORCE, [account]) if account else {}
        wanted = {linked.sweo_id for linked in found.values()}
        attached = {c["id"] for c in self.people.workspace.memberships.companies_of(link.sweo_id)}
        if attached != wanted:
            raise Lost(
                f"contact {link.sweo_id} belongs to {sorted(attached)} instead of {sorted(wanted)}"
            )

    # values

    def _check_history(self, name: str, salesforce_id: str, sweo_id: str) -> None:
        keys: dict[str, Key] = {
            "salesforce": ("salesforce", salesforce_id, name),
            "sweo": ("sweo", sweo_id, name),
        }
        for side, other in (("salesforce", "sweo"), ("sweo", "salesforce")):
            key, twin = keys[side], keys[other]
            for value in (held.value for held in self.history.overwritten_by_sync(key)):
                if value is None or self.history.reached(*twin, value):
                    continue
                if json.dumps(value) not in self.kept:
                    raise Lost(
                        f"{name} of {key[1]}: a person's {value!r} on {side} was "
                        "overwritten, never reached the other side and is not in the ledger"
                    )
            invented = self.history.invented(key, twin)
            if invented:
                raise Lost(f"{name} of {key[1]}: {invented!r} was written by nobody")
            erased = self.history.erased(key, twin)
            if erased:
                raise Lost(
                    f"{name} of {key[1]}: {erased!r} was erased on {side}, and nobody emptied "
                    "the other side"
                )
            for mine, back in self.history.reverted(key):
                if (key[1], json.dumps(back)) not in self.in_doubt:
                    raise Lost(
                        f"{name} of {key[1]}: a person changed {back!r} into {mine!r} on {side}, "
                        "and it was changed back although nobody touched the other side"
                    )

    def _check_policy(self, mapping: str, name: str, link: Link) -> None:
        """Where Salesforce wins, first meetings too, no value of a person there may give way."""
        policies = {each["name"]: each.get("conflict") for each in self.mappings}
        if policies[mapping] not in ("salesforce", None):
            return
        for held in self.history.overwritten_by_sync(("salesforce", link.salesforce_id, name)):
            if held.value is not None and not self.history.reached(
                "sweo", link.sweo_id, name, held.value
            ):
                raise Lost(
                    f"{name} of {link.salesforce_id}: a person's {held.value!r} gave way to Sweo, "
                    "and the policy is salesforce"
                )

    def _kept_values(self) -> set[str]:
        """Every value that the sync log or a conflict still holds, as JSON."""
        kept = {old for (old,) in self._rows("SELECT old FROM change")}
        for left, right in self._rows("SELECT salesforce, sweo FROM conflict"):
            kept |= {left, right}
        return kept | {_day(value) for value in kept if value}

    def _in_doubt(self) -> set[tuple[str, str]]:
        """Values whose write nobody could date, by the id of the record: see ``doubts``."""
        found = set()
        for salesforce_id, sweo_id, new in self._rows(
            "SELECT salesforce_id, sweo_id, new FROM change WHERE outcome = 'outcome unknown'"
        ):
            for record_id in (salesforce_id, sweo_id):
                found |= {(record_id, new), (record_id, _day(new) if new else new)}
        return found

    # what the ledger holds

    def _quarantined(self) -> set[tuple[str, str, str, str]]:
        return set(self._rows("SELECT direction, mapping, source_id, field FROM quarantine"))

    def _held(self) -> set[tuple[str, str, str, str]]:
        """Open conflicts, told like quarantine."""
        return {
            ("to_sweo", mapping, salesforce_id, name)
            for mapping, salesforce_id, name in self._rows(
                "SELECT link.mapping, link.salesforce_id, field.sweo FROM conflict "
                "JOIN link ON link.id = conflict.link_id "
                "JOIN field ON field.id = conflict.field_id "
                "WHERE conflict.status = 'open'"
            )
        }

    def _check_duplicates(self) -> None:
        for name, records in (("company_id", self.companies), ("email", self.persons)):
            often = Counter(record.get(name) for record in records.values())
            for value, times in often.items():
                if value and times > 1:
                    raise Lost(f"{times} records in Sweo have the {name} {value}")
        for sobject in SOBJECTS.values():
            key = "Customer_Number__c" if sobject == "Account" else "Email"
            often = Counter(row[key] for row in self.people.rows_now(sobject))
            for value, times in often.items():
                if value and times > 1:
                    raise Lost(f"{times} rows of {sobject} have the {key} {value}")

    def _check_nothing_owed(self) -> None:
        owed = self._rows(
            "SELECT direction, mapping, source_id, reason FROM revisit WHERE reason != 'quarantine'"
        )
        if owed:
            raise Lost(f"still on the revisit list: {owed}")
        doubts = self._rows(
            "SELECT intent.direction, intent.mapping, source_id FROM intent "
            "LEFT JOIN link ON link.id = intent.link_id WHERE link.closed IS NULL"
        )
        doubts = [row for row in doubts if row[2] not in self.people.deleted]
        if doubts:
            raise Lost(f"still in doubt: {doubts}")

    def _rows(self, statement: str) -> list[Any]:
        with self.ledger.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]


def _day(value: str) -> str:
    """A timestamp as JSON stands for the day it is noon of."""
    decoded = json.loads(value)
    is_moment = isinstance(decoded, str) and len(decoded) == 20 and decoded.endswith("Z")
    return json.dumps(decoded[:10]) if is_moment else value
