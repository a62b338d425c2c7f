"""Lives of one pair behind two filters: whatever people do, in whatever order, nothing is lost."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from crosswalk.ledger import schema
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from sqlalchemy import select
from test_filters import segment
from world import World

STEPS = 40


class Life:
    """One contact and one person, and what people last wrote on each side."""

    def __init__(self, world: World, pipelines: Pipelines, seed: int) -> None:
        self.world = world
        self.pipelines = pipelines
        self.random = Random(seed)
        self.written = 0
        self.inside = {"salesforce": True, "sweo": True}
        self.contact = world.contact("ada@x.test", Title="t0", Department="In")
        self.person = world.person("ada@x.test", custom_attributes={"tier": "in"})
        self.texts: dict[str, str] = {}

    def edit(self) -> None:
        """Somebody writes a value that nobody wrote before."""
        self.written += 1
        side = self.random.choice(["salesforce", "sweo"])
        self.texts[side] = f"t{self.written}"
        if side == "salesforce":
            self.world.edit_salesforce("Contact", self.contact, Title=self.texts[side])
        else:
            self.world.edit_person(self.person, custom_attributes={"job_title": self.texts[side]})

    def move(self, side: str | None = None, *, to: bool | None = None) -> None:
        """Let the record of one side leave its filter, or enter it; in half of the cases no
        timestamp tells of it.
        """
        side = side or self.random.choice(["salesforce", "sweo"])
        self.inside[side] = to = not self.inside[side] if to is None else to
        silently = self.random.random() < 0.5
        if side == "salesforce":
            value = "In" if to else "Out"
            if silently:
                org = self.world.sandbox.org
                org.set_columns("Contact", self.contact, {"Department": value})
            else:
                self.world.edit_salesforce("Contact", self.contact, Department=value)
            return
        before = self.world.person_now(self.person)["updated_at"]
        self.world.edit_person(self.person, custom_attributes={"tier": "in" if to else "out"})
        if silently:
            database = self.world.sandbox.workspace.database
            with database.transaction():
                database.update("contact", self.person, {"updated_at": before})

    def run(self) -> None:
        """One run of one pipeline; outside of a filter it leaves both sides as they are."""
        direction = self.random.choice([TO_SWEO, TO_SALESFORCE])
        before, outside = self.values(), not all(self.inside.values())
        if self.random.random() < 0.2:
            self.pipelines.full_check(direction)
        else:
            self.pipelines.run(direction)
        if outside:
            assert self.values() == before

    def values(self) -> tuple[Any, Any]:
        row = self.world.row("Contact", self.contact)
        return row["Title"], self.world.person_now(self.person)["custom_attributes"].get(
            "job_title"
        )

    def step(self) -> None:
        self.world.sandbox.advance(self.random.choice([5, 400, 4_000]))
        self.random.choices([self.edit, self.move, self.run], [3, 2, 4])[0]()

    def kept(self) -> set[str]:
        """Every value that the ledger can give back."""
        with self.pipelines.ledger.reader.connect() as connection:
            change, conflict = schema.change, schema.conflict
            rows = [
                *connection.execute(select(change.c.old, change.c.new)),
                *connection.execute(select(conflict.c.salesforce, conflict.c.sweo)),
            ]
        return {text.strip('"') for row in rows for text in row if text}


@pytest.mark.parametrize("seed", range(6))
def test_once_back_inside_both_sides_agree_and_no_edit_is_lost(
    world: World, pipelines: Pipelines, seed: int
) -> None:
    world.attribute("contact", "tier", "string")
    segment(world, "In", "contact", "custom_attributes.tier", "in")
    pipelines.mappings = [
        {
            "name": "contacts",
            "salesforce": "Contact",
            "sweo": "user",
            "match": {"salesforce": "Email", "sweo": "email"},
            "conflict": Random(seed).choice(["salesforce", "sweo", "newest"]),
            "only": {"salesforce": "Department = 'In'", "sweo": {"segments": ["In"]}},
            "fields": [{"salesforce": "Title", "sweo": "job_title", "direction": "both"}],
            "defaults": False,
        }
    ]
    life = Life(world, pipelines, seed)
    pipelines.sync()
    pipelines.sync()
    for _ in range(STEPS):
        life.step()
    for side in life.inside:
        world.sandbox.advance(60)
        life.move(side, to=True)
    world.sandbox.advance(60)
    for direction in (TO_SWEO, TO_SALESFORCE):
        pipelines.full_check(direction)
        world.sandbox.advance(60)
    for _ in range(2):
        pipelines.sync()
        world.sandbox.advance(60)
    title, job_title = life.values()
    assert title == job_title
    assert title == "t0" or title in life.texts.values()
    assert set(life.texts.values()) <= life.kept() | {title}
    assert pipelines.is_quiet()
