"""Accounts and people as both sides know them, drawn one after the other.

About 70 % of accounts stand on both sides, matched by customer number; 15 % on one side each.
Among them: names of 255 characters, right to left, with emoji; empty values; numbers that are
missing; people who share an email, write it in capitals, or have none.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from sweo_sandbox.seeding.plan import SeedPlan
from sweo_sandbox.seeding.pools import (
    ACCOUNT_TYPES,
    EMOJI,
    INDUSTRIES,
    PLANS,
    PRODUCT_ROLES,
    REGIONS,
    RIGHT_TO_LEFT,
    RIGHT_TO_LEFT_NAMES,
    Pools,
    make_pools,
)

BOTH_SHARE = 0.70
ONE_SIDE_SHARE = 0.15
DAY_SECONDS = 86_400
_SWEO_INDUSTRIES = (None, *INDUSTRIES)
_Item = TypeVar("_Item")


def _pick(draw: random.Random, items: Sequence[_Item]) -> _Item:
    # Twice as quick as random.choice, and seeding draws a hundred million times.
    return items[int(draw.random() * len(items))]


def _between(draw: random.Random, low: int, high: int) -> int:
    """A whole number from ``low``, below ``high``."""
    return low + int(draw.random() * (high - low))


def _age_seconds(number: int, total: int, oldest_days: int, newest_days: int) -> int:
    """Later numbers are younger, so that ids made of the time come in order."""
    span_seconds = (oldest_days - newest_days) * DAY_SECONDS
    return oldest_days * DAY_SECONDS - span_seconds * number // max(total, 1)


@dataclass(slots=True)
class SeededAccount:
    """One account; values named ``sweo_*`` are what Sweo holds where it differs."""

    number: int
    in_salesforce: bool
    in_sweo: bool
    customer_number: str | None
    name: str
    sweo_name: str
    industry: str | None
    sweo_industry: str | None
    account_type: str
    employees: int | None
    revenue: int | None
    website: str | None
    phone: str | None
    street: str
    city: str
    notes: str | None
    plan: str | None
    is_reference: bool
    renewal_day: int | None
    regions: str | None
    arr: float | None
    seats: int | None
    health: float | None
    sweo_health: float | None
    monthly_spend: int
    age_seconds: int
    changed_seconds: int


@dataclass(slots=True)
class SeededContact:
    """One person; ``account`` is the number of their account."""

    number: int
    account: int
    in_salesforce: bool
    in_sweo: bool
    first_name: str
    last_name: str
    email: str | None
    sweo_email: str | None
    is_lead: bool
    external_id: str | None
    title: str | None
    phone: str | None
    sweo_phone: str | None
    product_role: str | None
    nps: int | None
    opted_in: bool
    last_login_seconds: int | None
    age_seconds: int
    changed_seconds: int


def accounts(plan: SeedPlan, pools: Pools | None = None) -> Iterator[SeededAccount]:
    """The plan's accounts, by number from 0."""
    words = pools or make_pools(plan.random_seed)
    draw = random.Random(plan.random_seed * 2 + 1)  # noqa: S311 - data, not secrets
    for number in range(plan.accounts):
        yield _account(number, plan.accounts, draw, words)


def presence(plan: SeedPlan) -> bytearray:
    """Per account: bit 1 when it is in Salesforce, bit 2 when it is in Sweo."""
    draw = random.Random(plan.random_seed * 2 + 3)  # noqa: S311
    return bytearray(_presence(draw) for _ in range(plan.accounts))


def _presence(draw: random.Random) -> int:
    share = draw.random()
    if share < BOTH_SHARE:
        return 3
    return 1 if share < BOTH_SHARE + ONE_SIDE_SHARE else 2


def placed_accounts(plan: SeedPlan, pools: Pools) -> Iterator[SeededAccount]:
    """The accounts with the sides on which they stand."""
    for account, sides in zip(accounts(plan, pools), presence(plan), strict=True):
        account.in_salesforce = bool(sides & 1)
        account.in_sweo = bool(sides & 2)
        if not account.in_sweo and account.number % 25 == 7:
            account.customer_number = None
        yield account


def _account(number: int, total: int, draw: random.Random, words: Pools) -> SeededAccount:
    name = _company_name(number, draw, words)
    industry = _pick(draw, INDUSTRIES) if draw.random() < 0.9 else None
    regions = [region for region in REGIONS if draw.random() < 0.4]
    age_seconds = _age_seconds(number, total, 700, 30)
    health = round(draw.uniform(0, 100), 2) if draw.random() < 0.8 else None
    return SeededAccount(
        number=number,
        in_salesforce=True,
        in_sweo=True,
        customer_number=f"C-{number:07d}",
        name=name,
        sweo_name=name if draw.random() < 0.9 else words.companies[number % len(words.companies)],
        industry=industry,
        sweo_industry=industry if draw.random() < 0.8 else _pick(draw, _SWEO_INDUSTRIES),
        account_type=_pick(draw, ACCOUNT_TYPES),
        employees=_between(draw, 1, 20_000) if draw.random() < 0.85 else None,
        revenue=_between(draw, 10, 90_000) * 1000 if draw.random() < 0.7 else None,
        website=f"https://www.company{number}.example" if draw.random() < 0.8 else None,
        phone=_phone(draw) if draw.random() < 0.8 else None,
        street=_pick(draw, words.streets),
        city=_pick(draw, words.cities)[:40],
        notes=_notes(number, draw, words),
        plan=_pick(draw, PLANS) if draw.random() < 0.75 else None,
        is_reference=draw.random() < 0.15,
        renewal_day=_between(draw, -200, 500) if draw.random() < 0.7 else None,
        regions=";".join(regions) or None,
        arr=_between(draw, 100, 2_000_000) / 4 if draw.random() < 0.7 else None,
        seats=_between(draw, 1, 5000) if draw.random() < 0.7 else None,
        health=health if draw.random() < 0.5 else None,
        sweo_health=health,
        monthly_spend=_between(draw, 0, 20_000),
        age_seconds=age_seconds,
        changed_seconds=_between(draw, DAY_SECONDS, age_seconds),
    )


def _company_name(number: int, draw: random.Random, words: Pools) -> str:
    kind = number % 100
    if kind == 13:
        return f"{_pick(draw, RIGHT_TO_LEFT)} {number}"
    if kind == 29:
        return f"{_pick(draw, EMOJI)} {number}"
    if kind == 41:
        return (f"{number} " + " ".join(draw.choices(words.companies, k=40)))[:255].strip()
    if kind == 57:
        # Two accounts of one name, a different number each.
        return words.companies[number // 200 % len(words.companies)]
    return f"{_pick(draw, words.companies)} {number}"


def _notes(number: int, draw: random.Random, words: Pools) -> str | None:
    kind = number % 50
    if kind == 3:
        return " ".join(draw.choices(words.sentences, k=600))[:31_000].strip()
    if kind < 20:
        return _pick(draw, words.sentences)
    return None


def _phone(draw: random.Random) -> str:
    return f"+1 555 {_between(draw, 100, 1000)} {_between(draw, 1000, 10_000)}"


def contacts(plan: SeedPlan, pools: Pools) -> Iterator[SeededContact]:
    """The plan's people, by number from 0; each belongs to an account of the same plan."""
    if not plan.accounts:
        return
    sides = presence(plan)
    draw = random.Random(plan.random_seed * 2 + 5)  # noqa: S311
    previous_email: str | None = None
    for number in range(plan.contacts):
        person = _contact(number, plan.contacts, sides, draw, pools)
        if number % 80 == 39:
            # A lead in Sweo who shares the address of the person before.
            person.sweo_email = previous_email
        if number % 100 == 91:
            # Two contacts in Salesforce with one address.
            person.email = previous_email
        previous_email = person.sweo_email
        yield person


def _contact(
    number: int, total: int, sides: bytearray, draw: random.Random, words: Pools
) -> SeededContact:
    # The first people fill every account once, so that Sweo shows its companies.
    account = number if number < len(sides) else _between(draw, 0, len(sides))
    share = draw.random()
    where = sides[account]
    if where == 3 and share > 0.8:
        where = 1 if share < 0.9 else 2
    first_name, last_name = _person_name(number, draw, words)
    email: str | None = _email(number, first_name, last_name, account)
    is_lead = number % 40 == 39
    if number % 100 == 71:
        email = None
    sweo_email = email
    if number % 100 == 83 and email is not None:
        email = email.upper()
    phone = _phone(draw) if draw.random() < 0.6 else None
    age_seconds = _age_seconds(number, total, 600, 10)
    return SeededContact(
        number=number,
        account=account,
        in_salesforce=bool(where & 1),
        in_sweo=bool(where & 2),
        first_name=first_name,
        last_name=last_name,
        email=email,
        sweo_email=sweo_email,
        is_lead=is_lead,
        external_id=None if is_lead or draw.random() < 0.3 else f"user-{number}",
        title=_pick(draw, words.titles)[:128] if draw.random() < 0.8 else None,
        phone=phone,
        sweo_phone=phone if draw.random() < 0.7 else None,
        product_role=_pick(draw, PRODUCT_ROLES) if draw.random() < 0.7 else None,
        nps=_between(draw, 0, 11) if draw.random() < 0.4 else None,
        opted_in=draw.random() < 0.3,
        last_login_seconds=_between(draw, 0, 60 * DAY_SECONDS) if draw.random() < 0.6 else None,
        age_seconds=age_seconds,
        changed_seconds=_between(draw, DAY_SECONDS, age_seconds),
    )


def _person_name(number: int, draw: random.Random, words: Pools) -> tuple[str, str]:
    kind = number % 100
    if kind == 17:
        return _pick(draw, RIGHT_TO_LEFT_NAMES)
    if kind == 31:
        return "🦄", f"O'Neil-{_pick(draw, words.last_names)}"[:80]
    if kind == 47:
        return _pick(draw, words.first_names)[:40], ("van " * 30)[:79].strip()
    return _pick(draw, words.first_names)[:40], _pick(draw, words.last_names)[:80]


def _email(number: int, first_name: str, last_name: str, account: int) -> str:
    local = _plain(first_name) + _plain(last_name)
    return f"{local[:30] or 'person'}.{number}@company{account}.example"


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
