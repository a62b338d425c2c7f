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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sweo_sandbox.clock import Clock
from sweo_sandbox.credentials import environment, ready_access_token
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

SideName = Literal["salesforce", "sweo"]


class Sandbox:
    """A running sandbox. ``org`` and ``workspace`` change records as a person would."""

    def __init__(
        self,
        host: Host,
        salesforce: Side,
        sweo: Side,
        org_settings: OrgSettings,
        workspace_settings: WorkspaceSettings,
    ) -> None:
        self._host = host
        self._sides: dict[SideName, Side] = {"salesforce": salesforce, "sweo": sweo}
        self.org_settings = org_settings
        self.workspace_settings = workspace_settings
        self.salesforce_url = f"https://localhost:{host.ports['salesforce']}"
        self.sweo_url = f"https://localhost:{host.ports['sweo']}"
        self.ca_bundle = str(host.authority.bundle_path)
        self.org: Org = salesforce.state
        self.workspace: Workspace = sweo.state

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
            salesforce_port=self._host.ports["salesforce"],
            sweo_port=self._host.ports["sweo"],
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


@contextmanager
def running_sandbox(
    data_dir: Path | None = None,
    *,
    salesforce_port: int = 0,
    sweo_port: int = 0,
    pubsub: bool = False,
    pubsub_port: int = 0,
    **settings: Any,
) -> Iterator[Sandbox]:
    """Start both servers, stop them at the end; data are in memory unless ``data_dir`` is given.

    ``settings`` are fields of :class:`OrgSettings` and :class:`WorkspaceSettings`
    (``session_seconds=60``, ``index_lag_seconds=5``). The rate limit is off unless
    ``requests_per_minute`` is given. ``pubsub`` serves change events as well.

    Raises:
        PubSubMissingError: the extra ``pubsub`` is not installed.
        TypeError: a setting is none of theirs.
        DataDirectoryInUseError: another sandbox runs on the data directory.
    """
    org_settings = OrgSettings(access_token=ready_access_token())
    workspace_settings = WorkspaceSettings(requests_per_minute=None)
    apply_settings(settings, org_settings, workspace_settings)
    lock = DirectoryLock(data_dir) if data_dir is not None else None
    salesforce = salesforce_side(org_settings, data_dir)
    sweo = sweo_side(workspace_settings, data_dir)
    events = PubSubPort(salesforce.state, pubsub_port) if pubsub else None
    host = Host([(salesforce, salesforce_port), (sweo, sweo_port)], data_dir, lock, events)
    if org_settings.instance_url is None:
        org_settings.instance_url = f"https://localhost:{host.ports['salesforce']}"
    host.start_thread()
    try:
        if events is not None:
            events.wait()
        yield Sandbox(host, salesforce, sweo, org_settings, workspace_settings)
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
