"""Whoever applies the events in order holds the same records as the org."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
from sweo_sandbox.salesforce import lifecycle
from sweo_sandbox.salesforce.errors import SalesforceError

ACCOUNTS = "/data/AccountChangeEvent"
FIELDS = ("Name", "Phone", "Seats__c", "Is_Reference__c", "BillingCity", "BillingLatitude")
WORDS = st.sampled_from(["a", "b", "ünïcödé 🦆", "0", "x" * 255])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "Name": WORDS,
        "Phone": st.none() | st.sampled_from(["1", "22"]),
        "Seats__c": st.none() | st.integers(0, 10**7),
        "Is_Reference__c": st.booleans(),
        "BillingCity": st.none() | WORDS.filter(lambda word: len(word) <= 40),
        "BillingLatitude": st.none() | st.sampled_from([47.5, -1.25]),
    },
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "update", "together", "delete", "undelete"]),
        st.integers(0, 3),
        VALUES,
    ),
    max_size=14,
)


def carry_out(pubsub: Any, steps: list[tuple[str, int, dict[str, Any]]]) -> list[str]:
    org, made = pubsub.org, []
    for kind, which, values in steps:
        with suppress(SalesforceError):  # a record that is in the bin, or is not
            if kind == "insert" or not made:
                made.append(org.insert("Account", {"Name": "new", **values}))
            elif kind == "update":
                org.update("Account", made[which % len(made)], values)
            elif kind == "together":
                with org.store.transaction():
                    for record_id in made:
                        if not org.row("Account", record_id)["IsDeleted"]:
                            org.update("Account", record_id, values)
            elif kind == "delete":
                org.delete("Account", made[which % len(made)])
            else:
                lifecycle.undelete(org, org.schema.sobjects["account"], made[which % len(made)])
    return made


def value_of(body: dict[str, Any], name: str) -> Any:
    if not name.startswith("Billing"):
        return body[name]
    address = body["BillingAddress"]
    return address and address[name.removeprefix("Billing")]


def apply(events: list[Any]) -> dict[str, dict[str, Any]]:
    held: dict[str, dict[str, Any]] = {}
    bin_: dict[str, dict[str, Any]] = {}
    for event in events:
        changed = {name.replace("Address.", "") for name in event.names("changedFields")}
        nulled = {name.replace("Address.", "") for name in event.names("nulledFields")}
        assert nulled <= changed
        for record_id in event.header["recordIds"]:
            match event.header["changeType"]:
                case "DELETE":
                    bin_[record_id] = held.pop(record_id)
                case "UPDATE":
                    for name in changed & set(FIELDS):
                        value = value_of(event.body, name)
                        assert (value is None) == (name in nulled)
                        held[record_id][name] = value
                case kind:
                    held[record_id] = {name: value_of(event.body, name) for name in FIELDS}
                    assert (kind == "UNDELETE") == (bin_.pop(record_id, None) is not None)
    return held


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(steps=STEPS)
def test_applying_the_events_gives_the_records(
    pubsub: Any, steps: list[tuple[str, int, dict[str, Any]]]
):
    pubsub.sandbox.reset()
    made = carry_out(pubsub, steps)
    rows = [pubsub.org.row("Account", record_id) for record_id in made]
    expected = {
        row["Id"]: {name: row[name] for name in FIELDS} for row in rows if not row["IsDeleted"]
    }
    assert apply(pubsub.kept(ACCOUNTS)) == expected
