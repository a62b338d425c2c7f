"""Schemathesis, unchanged, over the published contracts of 2.16 and Preview as corrected.

It finds what answers otherwise than the contract says, fails with a 5xx, lets a request in without
a token, or accepts what the contract forbids, which would mean that a part was ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from outside.corrections import (
    CORRECTIONS,
    PREVIEW_CORRECTIONS,
    Contract,
    Correction,
    corrected,
)
from outside.environments import home_of, run
from sweo_sandbox.testing import Sandbox

FOLDER = Path(__file__).parent / "contract"
LEFT_OUT = {
    "positive_data_acceptance": "the contract states few of the limits that the service keeps",
    "allow_header_conformance": (
        "/companies/list is also a /companies/{id}, so its Allow names the methods of both"
    ),
}


@dataclass(frozen=True)
class Published:
    """One published contract, what is put right in it, and which checks do not fit it."""

    file: str
    version: str
    operations: int
    corrections: tuple[Correction, ...]
    left_out: dict[str, str]

    def read(self) -> Contract:
        contract: Contract = yaml.safe_load((FOLDER / self.file).read_text())
        return contract


NUMBERED = Published("sweo-2.16.yaml", "2.16", 45, CORRECTIONS, LEFT_OUT)
PREVIEW = Published(
    "sweo-preview.yaml",
    "Preview",
    13,
    PREVIEW_CORRECTIONS,
    {
        **LEFT_OUT,
        "unsupported_method": (
            "/companies/search is also a /companies/{id} of the numbered paths, not listed here"
        ),
    },
)
both = pytest.mark.parametrize("published", [NUMBERED, PREVIEW], ids=["2.16", "Preview"])


def records_to_find(sandbox: Sandbox) -> str:
    """Makes records, and a configuration that puts their ids into paths that do not delete."""
    space = sandbox.workspace
    company = space.companies.upsert({"company_id": "c1", "name": "Acme"})["id"]
    contact = space.contacts.create({"email": "a@acme.co"})["id"]
    space.memberships.attach(contact, company)
    tag = space.tags.write({"name": "vip"})["id"]
    attribute = space.attributes.create(
        {"name": "tier", "model": "company", "data_type": "string"},
        sandbox.clock_sweo.now_seconds(),
    )
    segment = space.segments.add("All", {"field": "role", "operator": "=", "value": "user"})
    found = {
        "contact_id": contact,
        "company_id": company,
        "tag_id": tag,
        "data_attribute_id": attribute.view("1")["id"],
        "segment_id": segment,
        "id": contact,
    }
    nothing = ", ".join(f'"path.{name}" = "0"' for name in found)
    lines = ["[parameters]", *(f'"path.{name}" = "{value}"' for name, value in found.items())]
    lines += ["[[operations]]", 'include-method = "DELETE"', f"parameters = {{ {nothing} }}"]
    for ending in ("archive", "block"):
        lines += ["[[operations]]", f'include-path = "/contacts/{{contact_id}}/{ending}"']
        lines += ['parameters = { "path.contact_id" = "0" }']
    return "\n".join(lines) + "\n"


@both
@pytest.mark.timeout(900)
def test_the_contract_holds(published: Published, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.workspace_settings.default_version = published.version
    contract = tmp_path / "contract.json"
    contract.write_text(json.dumps(corrected(published.read(), published.corrections)))
    (tmp_path / "schemathesis.toml").write_text(records_to_find(sandbox))
    printed = run(
        [
            str(home_of("schemathesis") / "bin" / "st"),
            "run",
            str(contract),
            "--url",
            sandbox.sweo_url,
            "--header",
            f"Authorization: Bearer {sandbox.workspace_settings.access_token}",
            "--tls-verify",
            sandbox.ca_bundle,
            "--exclude-checks",
            ",".join(published.left_out),
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "10",
            "--seed",
            "1",
            "--continue-on-failure",
            "--no-color",
        ],
        sandbox.env(),
        timeout_seconds=800,
        directory=tmp_path,
    )
    assert f"Tested: {published.operations}" in printed


@both
def test_every_correction_is_needed_and_says_why(published: Published) -> None:
    for correction in published.corrections:
        before, after = published.read(), published.read()
        correction(after)
        assert after != before, f"{correction.__name__} corrects nothing"
        assert len(correction.__doc__ or "") > 40
