"""A sandbox kept in a data directory: its settings, its two sides, its host."""

from __future__ import annotations

from pathlib import Path

from sweo_sandbox.credentials import settings_of
from sweo_sandbox.host import Host
from sweo_sandbox.lock import DirectoryLock
from sweo_sandbox.pubsub.port import PubSubMissingError, PubSubPort
from sweo_sandbox.seeding.plan import SeedPlan
from sweo_sandbox.side import salesforce_side, sweo_side


def open_host(
    data_dir: Path, salesforce_port: int, sweo_port: int, pubsub_port: int | None = None
) -> Host:
    """Both sides on their ports, and change events if ``pubsub_port`` is given; not serving yet.

    Raises:
        DataDirectoryInUseError: another sandbox runs on the directory.
        OSError: a port is taken.
        PubSubMissingError: change events are wanted and their packages are not installed.
    """
    lock = DirectoryLock(data_dir)
    org_settings, workspace_settings = settings_of(data_dir)
    salesforce = salesforce_side(org_settings, data_dir)
    sweo = sweo_side(workspace_settings, data_dir)
    try:
        events = None if pubsub_port is None else PubSubPort(salesforce.state, pubsub_port)
        host = Host([(salesforce, salesforce_port), (sweo, sweo_port)], data_dir, lock, events)
    except (OSError, PubSubMissingError):
        salesforce.close()
        sweo.close()
        lock.release()
        raise
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
