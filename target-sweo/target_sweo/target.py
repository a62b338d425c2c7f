"""Singer target for Sweo."""

from __future__ import annotations

from typing import Any

from crosswalk.ledger.usage import note_calls, tap_of
from crosswalk.mapping import Side
from singer_runtime.settings import TARGET_SETTINGS
from singer_runtime.target import SyncTarget
from singer_sdk import typing as th
from sweo_client import SweoClient, SweoSettings

from target_sweo.sinks import SweoDestination


class TargetSweo(SyncTarget):
    """Writes companies, contacts, users and leads of one Sweo workspace."""

    name = "target-sweo"
    package_name = "sweo-target-sweo"
    side = Side.SWEO

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_url",
            th.StringType,
            required=True,
            title="API address",
            description="Address of the Sweo API in the workspace's region. Plain http is taken "
            "for this machine only.",
        ),
        th.Property(
            "access_token",
            th.StringType,
            required=True,
            secret=True,
            title="Access token",
            description="Token of an app that may read and write people, companies and data "
            "attributes.",
        ),
        th.Property(
            "sweo_version",
            th.StringType,
            default="2.16",
            title="API version",
            description="A numbered version from 2.16 on, or `Preview`, which searches companies "
            "instead of scanning them.",
        ),
        th.Property(
            "environment",
            th.StringType,
            allowed_values=["sandbox", "prod"],
            title="Environment",
            description="`sandbox` talks to this machine only, `prod` never does. Default: no "
            "guard.",
        ),
        th.Property(
            "max_concurrency",
            th.IntegerType,
            default=10,
            title="Calls at once",
            description="How many records are read or written at the same time. The rate limit is "
            "obeyed whatever this says.",
        ),
        *TARGET_SETTINGS,
    ).to_dict()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tap_calls_noted = 0

    def make_destination(self) -> SweoDestination:
        """The workspace; nothing is called before the first record that differs."""
        concurrency = int(self.config["max_concurrency"])
        client = SweoClient(SweoSettings.from_config(self.config), max_concurrency=concurrency)
        return SweoDestination(
            client,
            max_concurrency=concurrency,
            logger=self.logger,
            dry_run=bool(self.config.get("dry_run")),
            mappings=self.sync_config.enabled,
        )

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        value = message_dict.get("value")
        told = value if isinstance(value, dict) else {}
        calls, org = told.pop("calls", None), told.pop("org", None)
        super()._process_state_message(message_dict)
        self._note_tap_calls(calls, org)

    def _note_tap_calls(self, calls: object, org: str | None) -> None:
        """Count what tap-salesforce says it has spent in this run towards its org's budget."""
        if isinstance(calls, int) and self._lease is not None:
            note_calls(self.run.ledger, tap_of(org), calls - self._tap_calls_noted)
            self._tap_calls_noted = calls


if __name__ == "__main__":
    TargetSweo.cli()
