from __future__ import annotations

from collections.abc import Iterator

import pytest
from sweo_sandbox.seeding.plan import SeedPlan
from sweo_sandbox.seeding.pools import make_pools
from sweo_sandbox.seeding.records import contacts, placed_accounts
from sweo_sandbox.seeding.salesforce_rows import seed_org
from sweo_sandbox.seeding.sweo_rows import seed_workspace
from sweo_sandbox.testing import Sandbox, running_sandbox

PLAN = SeedPlan(accounts=400, contacts=1200, random_seed=3)


@pytest.fixture(scope="module")
def seeded() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        seed_org(sandbox.org, PLAN)
        seed_workspace(sandbox.workspace, PLAN)
        yield sandbox


def test_a_seed_repeats():
    pools = make_pools(3)
    assert [*contacts(PLAN, pools)] == [*contacts(PLAN, make_pools(3))]
    assert [*placed_accounts(PLAN, pools)] == [*placed_accounts(PLAN, make_pools(3))]
    assert make_pools(4) != pools


def test_most_accounts_match_and_the_rest_stand_on_one_side(seeded):
    numbers = {row["Customer_Number__c"] for row in seeded.org.rows("Account")} - {None}
    rows = seeded.workspace.database.rows("SELECT company_id FROM company")
    company_ids = {row["company_id"] for row in rows}
    both = len(numbers & company_ids)
    assert 0.6 < both / PLAN.accounts < 0.8
    assert len(numbers - company_ids) > 20
    assert len(company_ids - numbers) > 20


def test_the_awkward_values_are_there(seeded):
    names = [row["Name"] for row in seeded.org.rows("Account")]
    assert max(map(len, names)) > 200
    assert any(
        "🚀" in name or "🍦" in name or "☕" in name or "👩" in name or "🇯" in name
        for name in names
    )
    assert any("\u0590" <= letter <= "\u06ff" for name in names for letter in name)
    assert len(set(names)) < len(names)
    emails = [row["Email"] for row in seeded.org.rows("Contact")]
    assert None in emails
    assert any(email and email.isupper() for email in emails)
    known = [email for email in emails if email]
    assert len(set(known)) < len(known)
    shared = seeded.workspace.database.rows(
        "SELECT email FROM contact WHERE email IS NOT NULL GROUP BY email HAVING COUNT(*) > 1"
    )
    assert shared


def test_contacts_belong_to_companies_and_the_api_shows_them(seeded):
    workspace = seeded.workspace
    listed = workspace.companies.page(page=1, per_page=5)
    total = workspace.database.number("SELECT COUNT(*) FROM company")
    assert listed["total_count"] > 0.8 * total


def test_every_seeded_value_would_pass_the_apis_own_checks(seeded):
    workspace = seeded.workspace
    for row in workspace.database.rows("SELECT * FROM company"):
        shown = workspace.companies.get(row["id"])
        values = {key: shown[key] for key in ("name", "size", "industry") if shown.get(key)}
        workspace.companies.update(
            row["id"], {**values, "custom_attributes": shown["custom_attributes"]}
        )
    for row in workspace.database.rows("SELECT * FROM contact"):
        shown = workspace.contacts.get(row["id"])
        body = {"name": shown["name"], "custom_attributes": shown["custom_attributes"]}
        workspace.contacts.update(row["id"], body)
    for row in seeded.org.rows("Contact"):
        seeded.org.update(
            "Contact", row["Id"], {"LastName": row["LastName"], "Email": row["Email"]}
        )


def test_seeding_twice_is_refused(seeded):
    with pytest.raises(ValueError, match="reset"):
        seed_org(seeded.org, PLAN)
    with pytest.raises(ValueError, match="reset"):
        seed_workspace(seeded.workspace, PLAN)
