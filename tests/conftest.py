from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from meltano_project import Project, make_project
from pipelines import Pipelines, environ
from ruamel.yaml import YAML
from sweo_sandbox.testing import Sandbox, running_sandbox
from world import World

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def session_sandbox() -> Iterator[Sandbox]:
    with (
        running_sandbox() as sandbox,
        environ(REQUESTS_CA_BUNDLE=sandbox.ca_bundle, SSL_CERT_FILE=sandbox.ca_bundle),
    ):
        yield sandbox


@pytest.fixture
def sandbox(session_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox as at a fresh start; what a test sets is as it was before for the next one."""
    session_sandbox.reset()
    settings = session_sandbox.org_settings, session_sandbox.workspace_settings
    before = [copy(each) for each in settings]
    yield session_sandbox
    for each, former in zip(settings, before, strict=True):
        for field in fields(former):
            setattr(each, field.name, getattr(former, field.name))


def project_mappings() -> list[dict[str, Any]]:
    """The field configs of the project's own meltano.yml."""
    document = YAML(typ="safe").load(ROOT / "meltano.yml")
    mappings: list[dict[str, Any]] = document["annotations"]["sweo"]["mappings"]
    return mappings


@pytest.fixture
def pipelines(sandbox: Sandbox, tmp_path: Path) -> Pipelines:
    return Pipelines(sandbox, tmp_path, project_mappings())


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    made = World(sandbox)
    made.furnish()
    return made


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Iterator[Project]:
    """A Meltano project on the sandbox; what it started is stopped in the end."""
    made = make_project(sandbox, tmp_path)
    yield made
    made.stop()
