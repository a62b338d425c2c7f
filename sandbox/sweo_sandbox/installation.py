"""A sandbox kept in a data directory: its settings, its two sides, its host."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from sweo_sandbox.credentials import settings_of
from sweo_sandbox.host import Host
from sweo_sandbox.lock import DirectoryLock
from sweo_sandbox.pubsub.port import PubSubPort
from sweo_sandbox.seeding.plan import SeedPlan
from sweo_sandbox.side import Side, salesforce_side, sweo_side


def open_host(
    data_dir: Path,
    ports: Mapping[str, int],
    *,
    pubsub_port: int | None = None,
    org_number: int | None = None,
    certificates: Path | None = None,
) -> Host:
    """The sides that have a port in ``ports``, and change events if ``pubsub_port`` is given.

    Nothing is served yet. ``certificates`` is the directory of another sandbox whose authority
    this one shares.

    Raises:
        DataDirectoryInUseError: another sandbox runs on the directory.
        OtherOrgError: the directory holds an org of another number.
        OSError: a port is taken.
        PubSubMissingError: change events are wanted and their packages are not installed.
    """
    with ExitStack() as opened:
        lock = DirectoryLock(data_dir)
        opened.callback(lock.release)
        org_settings, workspace_settings = settings_of(data_dir, org_number)
        sides: list[tuple[Side, int]] = []
        if "salesforce" in ports:
            sides.append((salesforce_side(org_settings, data_dir), ports["salesforce"]))
            opened.callback(sides[-1][0].close)
        if "sweo" in ports:
            sides.append((sweo_side(workspace_settings, data_dir), ports["sweo"]))
            opened.callback(sides[-1][0].close)
        events = None
        if pubsub_port is not None and "salesforce" in ports:
            events = PubSubPort(sides[0][0].state, pubsub_port)
        host = Host(sides, certificates or data_dir, lock, events)
        opened.pop_all()
    if "salesforce" in ports:
        org_settings.instance_url = f"https://localhost:{host.ports['salesforce']}"
    return host


def seed_directory(
    data_dir: Path, order: dict[str, int], *, reset: bool
) -> dict[str, dict[str, int]]:
    """Seed a directory on which no sandbox runs; the caller holds its lock.

    Raises:
        ValueError: a side already holds data.
    """
    # Faker is slow to import, and serving needs none of it.
    from sweo_sandbox.seeding.salesforce_rows import seed_org
    from sweo_sandbox.seeding.sweo_rows import seed_workspace

    org_settings, workspace_settings = settings_of(data_dir)
    sides = [salesforce_side(org_settings, data_dir), sweo_side(workspace_settings, data_dir)]
    salesforce, sweo = sides
    plan = SeedPlan(**order)
    try:
        if reset:
            for side in sides:
                side.desk.reset()
        return {
            "salesforce": seed_org(salesforce.state, plan),
            "sweo": seed_workspace(sweo.state, plan),
        }
    finally:
        for side in sides:
            side.close()
