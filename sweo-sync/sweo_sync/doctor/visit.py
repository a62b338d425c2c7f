"""One visit to both sides: everything is asked once, when a check first needs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping as MappingOf
from functools import cached_property
from typing import Final, TypeVar

from crosswalk.errors import FatalError, SyncError
from crosswalk.ledger.report import status
from crosswalk.mapping import Config, Mapping
from salesforce_client.connection import Connection
from salesforce_client.errors import RequestRefusedError
from sweo_client import SweoClient
from sweo_client.query import Workspace as Identity, workspace as identity_of

from sweo_sync.credentials import salesforce_connection, sweo_client
from sweo_sync.doctor.automations import Automation, read_automations
from sweo_sync.doctor.finding import UnavailableError
from sweo_sync.doctor.samples import (
    OrgSample,
    WorkspaceSample,
    sample_org,
    sample_workspace,
)
from sweo_sync.project import Project
from sweo_sync.sides import Org, Workspace, read_org, read_workspace

MOST_CALLS: Final = 40
"""Both sides together; Sweo takes at most six of them, two and one for each kind of record."""
_SWEO_CALLS: Final = 6

T = TypeVar("T")


class Visit:
    """What the checks look at. A property raises ``UnavailableError`` where the login it needs
    failed, and the vendor's own trouble once, at the check that asked first.
    """

    def __init__(
        self, config: Config, project: Project, environ: MappingOf[str, str] | None = None
    ) -> None:
        self.config = config
        self._project = project
        self._environ = os.environ if environ is None else environ
        self._failed: dict[str, str] = {}

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """The mappings that are switched on."""
        return self.config.enabled

    @property
    def calls(self) -> int:
        """Metered calls to both sides so far."""
        made = self.__dict__
        connection, client = made.get("connection"), made.get("client")
        return (connection.calls if connection else 0) + (client.meter.calls if client else 0)

    def close(self) -> None:
        """Let go of every connection."""
        if "client" in self.__dict__:
            self.client.close()

    @cached_property
    def connection(self) -> Connection:
        """The way to Salesforce, not yet opened."""
        connection = salesforce_connection(self._environ)
        if connection is None:
            raise FatalError(
                "There is no Salesforce login: set SALESFORCE_CLIENT_ID and its secret, or "
                "SALESFORCE_ACCESS_TOKEN."
            )
        connection.limit_calls = MOST_CALLS - _SWEO_CALLS
        return connection

    @cached_property
    def client(self) -> SweoClient:
        """The way to Sweo, not yet opened."""
        client = sweo_client(self._environ)
        if client is None:
            raise FatalError("There is no Sweo login: set SWEO_ACCESS_TOKEN.")
        return client

    @cached_property
    def refusal(self) -> RequestRefusedError | None:
        """How the org refuses its API to this user, where it does; asking logs in.

        What is asked for every API user may see; `/limits` would need View Setup and Configuration.
        """
        try:
            self.connection.read("query", params={"q": "SELECT Id FROM Organization"})
        except RequestRefusedError as refusal:
            return refusal
        return None

    @cached_property
    def identity(self) -> Identity:
        """Which workspace the token opens."""
        return identity_of(self.client)

    @cached_property
    def org(self) -> Org:
        """The mapped objects as the integration user sees them."""
        self.needs("salesforce")
        return self._once("org", lambda: read_org(self.connection, self.mappings))

    @cached_property
    def workspace(self) -> Workspace:
        """The attributes of companies and contacts."""
        self.needs("sweo")
        return self._once("workspace", lambda: read_workspace(self.client, self.mappings))

    @cached_property
    def accounts(self) -> MappingOf[str, OrgSample]:
        """The latest records of every mapped object that can be seen, by object."""
        org = self.org
        return self._once("sample", lambda: sample_org(self.connection, org, self.mappings))

    @cached_property
    def automations(self) -> tuple[Automation, ...]:
        """Flows and triggers of the mapped objects that can be seen."""
        labels = {name.lower(): each.label for name, each in self.org.described.items()}
        return self._once("automations", lambda: read_automations(self.connection, labels))

    def people(self, sweo_object: str) -> WorkspaceSample:
        """The companies or contacts that were active last."""
        self.needs("sweo")
        if sweo_object == "company" and "companies" in self._failed:
            raise UnavailableError(self._failed["companies"])
        key = f"_sample_{sweo_object}"
        if key not in self.__dict__:
            self.__dict__[key] = sample_workspace(self.client, sweo_object)
        sample: WorkspaceSample = self.__dict__[key]
        return sample

    @cached_property
    def pairs(self) -> MappingOf[str, int]:
        """Linked pairs by mapping; none where there is no ledger yet."""
        try:
            with self._project.ledger() as ledger:
                return {each.mapping: each.pairs for each in status(ledger).mappings}
        except FatalError:
            return {}

    def events_in(self, mapping: Mapping, days: int) -> int:
        """How many events of the mapping became Tasks in the last days."""
        try:
            with self._project.ledger() as ledger:
                return ledger.events_within_days(mapping.name, days)
        except FatalError:
            return 0  # there is no ledger yet

    def description(self, mapping: Mapping) -> None:
        """Make sure that the mapping's object can be seen.

        Raises:
            UnavailableError: it cannot.
        """
        if self.org.description(mapping) is None:
            raise UnavailableError(f"{mapping.salesforce} cannot be seen")

    def fail(self, what: str, reason: str) -> None:
        """Note that ``salesforce``, ``sweo`` or ``companies`` cannot be asked any more."""
        self._failed.setdefault(what, reason)

    def needs(self, side: str) -> None:
        """Make sure that a side can be asked.

        Raises:
            UnavailableError: it cannot.
        """
        if side in self._failed:
            raise UnavailableError(self._failed[side])

    def _once(self, what: str, read: Callable[[], T]) -> T:
        """Raise a trouble where it is met first; later checks only hear of it."""
        self.needs(what)
        try:
            return read()
        except SyncError as error:
            self.fail(what, f"not looked at: {error}")
            raise
