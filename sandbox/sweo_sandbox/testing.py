"""A running sandbox for tests: both servers on free ports, TLS included, in one thread.

    with running_sandbox() as sandbox:
        requests.get(f"{sandbox.sweo_url}/me", verify=sandbox.ca_bundle, headers=...)

As a pytest fixture::

    @pytest.fixture
    def sandbox() -> Iterator[Sandbox]:
        with running_sandbox() as running:
            yield running
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sweo_sandbox.clock import Clock
from sweo_sandbox.credentials import (
    environment,
    org_number_in,
    org_settings_of,
    ready_access_token,
)
from sweo_sandbox.faults import FaultDesk, FaultKind, FaultRule
from sweo_sandbox.host import Host
from sweo_sandbox.lock import DirectoryLock
from sweo_sandbox.meter import CallCounts
from sweo_sandbox.pubsub.port import PubSubPort
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.salesforce.settings import OrgSettings
from sweo_sandbox.side import Side, salesforce_side, sweo_side
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.sweo.workspace import Workspace

__all__ = ["Sandbox", "SideName", "apply_settings", "ready_access_token", "running_sandbox"]

SideName = Literal["salesforce", "sweo"]


class Sandbox:
    """A running sandbox. ``org`` and ``workspace`` change records as a person would.

    One that has a single side knows nothing of the other: its attributes are missing.
    """

    def __init__(
        self,
        host: Host,
        sides: Mapping[SideName, Side],
        org_settings: OrgSettings,
        workspace_settings: WorkspaceSettings,
    ) -> None:
        self._host = host
        self._sides = dict(sides)
        self.org_settings = org_settings
        self.workspace_settings = workspace_settings
        self.ca_bundle = str(host.authority.bundle_path)
        if "salesforce" in sides:
            self.salesforce_url = f"https://localhost:{host.ports['salesforce']}"
            self.org: Org = sides["salesforce"].state
        if "sweo" in sides:
            self.sweo_url = f"https://localhost:{host.ports['sweo']}"
            self.workspace: Workspace = sides["sweo"].state

    @property
    def clock_salesforce(self) -> Clock:
        """The org's clock."""
        return self._sides["salesforce"].clock

    @property
    def clock_sweo(self) -> Clock:
        """The workspace's clock."""
        return self._sides["sweo"].clock

    def env(self) -> dict[str, str]:
        """The variables of ``sweo-sandbox env``."""
        return environment(
            self.org_settings,
            self.workspace_settings,
            salesforce_port=self._host.ports.get("salesforce"),
            sweo_port=self._host.ports.get("sweo"),
            ca_bundle=self._host.authority.bundle_path,
            pubsub_port=self._host.ports.get("pubsub"),
        )

    def calls(self, side: SideName) -> CallCounts:
        """API calls counted on one side since :meth:`reset_calls`."""
        return self._sides[side].meter.snapshot()

    def reset_calls(self) -> None:
        """Count from zero on both sides."""
        for side in self._sides.values():
            side.meter.reset()

    def fault(self, side: SideName, kind: FaultKind, **order: Any) -> FaultRule:
        """Put a fault in force; the keywords are those of :class:`FaultRule`."""
        return self._sides[side].faults.add(kind, **order)

    def faults(self, side: SideName) -> FaultDesk:
        """The fault desk of one side."""
        return self._sides[side].faults

    def clear_faults(self) -> None:
        """Let everything go right again on both sides."""
        for side in self._sides.values():
            side.faults.clear()

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        for side in self._sides.values():
            side.clock.advance(seconds)

    def reset(self) -> None:
        """Both sides as at a fresh start: data, clocks, calls, faults. Ports stay."""
        for side in self._sides.values():
            side.desk.reset()


@cache
def _certificates() -> tempfile.TemporaryDirectory[str]:
    # One authority for every sandbox of this process: a client of two orgs trusts one bundle.
    return tempfile.TemporaryDirectory(prefix="sweo-sandbox-")


@contextmanager
def running_sandbox(
    data_dir: Path | None = None,
    *,
    only: SideName | None = None,
    salesforce_port: int = 0,
    sweo_port: int = 0,
    pubsub: bool = False,
    pubsub_port: int = 0,
    **settings: Any,
) -> Iterator[Sandbox]:
    """Start both servers, stop them at the end; data are in memory unless ``data_dir`` is given.

    ``settings`` are fields of :class:`OrgSettings` and :class:`WorkspaceSettings`
    (``session_seconds=60``, ``index_lag_seconds=5``). The rate limit is off unless
    ``requests_per_minute`` is given. ``pubsub`` serves change events as well. A second org is
    ``running_sandbox(only="salesforce", org_number=2)``.

    Raises:
        PubSubMissingError: the extra ``pubsub`` is not installed.
        TypeError: a setting is none of theirs.
        DataDirectoryInUseError: another sandbox runs on the data directory.
        OtherOrgError: the data directory holds an org of another number.
    """
    org_number = settings.pop("org_number", None)
    if data_dir is not None:
        org_number = org_number_in(data_dir, org_number)
    org_settings = org_settings_of(org_number or 1)
    workspace_settings = WorkspaceSettings(requests_per_minute=None)
    apply_settings(settings, org_settings, workspace_settings)
    certificates = data_dir if data_dir is not None else Path(_certificates().name)
    with ExitStack() as opened:
        lock = None if data_dir is None else DirectoryLock(data_dir)
        if lock is not None:
            opened.callback(lock.release)
        sides: dict[SideName, Side] = {}
        if only != "sweo":
            sides["salesforce"] = salesforce_side(org_settings, data_dir)
            opened.callback(sides["salesforce"].close)
        if only != "salesforce":
            sides["sweo"] = sweo_side(workspace_settings, data_dir)
            opened.callback(sides["sweo"].close)
        events = PubSubPort(sides["salesforce"].state, pubsub_port) if pubsub else None
        ports = {"salesforce": salesforce_port, "sweo": sweo_port}
        host = Host(
            [(side, ports[name]) for name, side in sides.items()], certificates, lock, events
        )
        opened.pop_all()
    if org_settings.instance_url is None and "salesforce" in sides:
        org_settings.instance_url = f"https://localhost:{host.ports['salesforce']}"
    host.start_thread()
    try:
        if events is not None:
            events.wait()
        yield Sandbox(host, sides, org_settings, workspace_settings)
    finally:
        host.close()


def apply_settings(settings: dict[str, Any], *targets: Any) -> None:
    """Set each setting on the settings object that has a field of its name.

    Raises:
        TypeError: no object has such a field.
    """
    for name, value in settings.items():
        owner = next((t for t in targets if name in {f.name for f in dataclasses.fields(t)}), None)
        if owner is None:
            raise TypeError(f"{name} is no setting of the org or the workspace")
        setattr(owner, name, value)
