"""Messages may come doubled and in any order: the end is the same."""

from __future__ import annotations

import json
import random

import pytest
from crosswalk.mapping import Side
from pipelines import TO_SWEO, Pipelines
from world import World

ACCOUNTS = 12


def shuffled(lines: bytes, seed: int) -> bytes:
    """The same SCHEMA and STATE lines, the records between them shuffled, some of them twice."""
    chance = random.Random(seed)
    out: list[bytes] = []
    held: list[bytes] = []
    for line in lines.splitlines(keepends=True):
        if b'"type":"RECORD"' in line:
            held.append(line)
            continue
        held += chance.sample(held, len(held) // 2)
        chance.shuffle(held)
        out += [*held, line]
        held = []
    return b"".join(out)


@pytest.mark.parametrize("seed", range(5))
def test_order_and_repetition_change_nothing(world: World, pipelines: Pipelines, seed: int) -> None:
    accounts = [world.account(f"C-{n}", Industry=f"I-{n}") for n in range(ACCOUNTS)]
    companies = [world.company(f"C-{n}") for n in range(0, ACCOUNTS, 2)]
    contacts = [world.contact(f"p{n}@x.test", AccountId=a) for n, a in enumerate(accounts)]
    lines = pipelines.map(TO_SWEO, pipelines.tap(TO_SWEO))
    pipelines.target(TO_SWEO, shuffled(lines, seed))
    workspace = world.sandbox.workspace
    for number in range(ACCOUNTS):
        company = workspace.companies.find(company_id=f"C-{number}")
        assert (company["name"], company["industry"]) == (f"Account C-{number}", f"I-{number}")
    everybody = workspace.all_contacts({"per_page": 150})["data"]
    persons = {p["email"]: p for p in everybody if (p["email"] or "").startswith("p")}
    assert len([p for p in everybody if (p["email"] or "").startswith("p")]) == ACCOUNTS
    for number in range(ACCOUNTS):
        [belongs] = persons[f"p{number}@x.test"]["companies"]["data"]
        assert belongs["id"] == workspace.companies.find(company_id=f"C-{number}")["id"]
    links = pipelines.ledger.links("accounts", Side.SALESFORCE, accounts)
    assert len(links) == len(accounts)
    assert {link.sweo_id for link in links.values()} >= set(companies)
    assert len(pipelines.ledger.links("contacts", Side.SALESFORCE, contacts)) == ACCOUNTS
    assert json.loads(json.dumps(pipelines.state[TO_SWEO]))
    world.sandbox.advance(900)
    world.sandbox.reset_calls()
    pipelines.sync()
    pipelines.sync()
    assert world.calls("salesforce")["writes"] == 0
