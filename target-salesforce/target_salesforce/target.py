"""The target: settings and destination."""

from __future__ import annotations

from typing import Any

from crosswalk.ledger.usage import TARGET_SALESFORCE, calls_within_a_day, note_calls, spenders
from crosswalk.mapping import Side
from salesforce_client.settings import DAILY_CALLS, LOGIN_SETTINGS, Setting, connection_from
from singer_runtime.destination import Destination
from singer_runtime.settings import TARGET_SETTINGS
from singer_runtime.target import SyncTarget
from singer_sdk import typing as th

from target_salesforce.sinks import SalesforceDestination, WriteSettings


def _property(setting: Setting) -> th.Property[Any]:
    return th.Property(
        setting.name,
        th.StringType,
        title=setting.title,
        description=setting.description,
        secret=setting.secret,
        default=setting.default,
        allowed_values=list(setting.allowed) if setting.allowed else None,
    )


class TargetSalesforce(SyncTarget):
    """Writes to a Salesforce org what differs from what was agreed."""

    name = "target-salesforce"
    package_name = "sweo-target-salesforce"
    side = Side.SALESFORCE
    config_jsonschema = th.PropertiesList(
        *(_property(setting) for setting in LOGIN_SETTINGS),
        *TARGET_SETTINGS,
        th.Property(
            "write_guard",
            th.StringType,
            title="Write guard",
            default="composite",
            allowed_values=["composite", "none"],
            description="`composite` asks Salesforce to refuse a write where somebody edited the "
            "record since it was read (25 records a call, for up to 250 records of a batch); "
            "`none` writes 1,000 records a call unguarded.",
        ),
        th.Property(
            "assignment_rules",
            th.BooleanType,
            title="Assignment rules",
            default=False,
            description="Let writes run the org's assignment rules for leads and cases.",
        ),
        th.Property(
            "bulk_poll_seconds",
            th.NumberType,
            title="First Bulk poll",
            default=2,
            description="Pause before a Bulk job is first asked about; it doubles up to a minute.",
        ),
        th.Property(
            "max_calls",
            th.IntegerType,
            title="Call limit",
            description="The most API calls one run may spend; the next run goes on from there.",
        ),
        th.Property(
            DAILY_CALLS.name,
            th.IntegerType,
            title=DAILY_CALLS.title,
            description=DAILY_CALLS.description,
        ),
    ).to_dict()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._calls_noted = 0

    def make_destination(self) -> Destination:
        """The org; nothing is sent before it is asked for something."""
        return SalesforceDestination(
            connection_from(
                self.config,
                limit_calls=self.config.get("max_calls"),
                earlier_calls=lambda: calls_within_a_day(self.run.ledger, *spenders(None)),
            ),
            WriteSettings(
                write_guard=str(self.config["write_guard"]),
                assignment_rules=bool(self.config["assignment_rules"]),
                bulk_poll_seconds=float(self.config["bulk_poll_seconds"]),
            ),
        )

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        super()._process_state_message(message_dict)
        self._note_calls()

    def finish(self, outcome: str) -> None:
        """Note how the run ended, and the calls it made."""
        self._note_calls()
        super().finish(outcome)

    def _note_calls(self) -> None:
        """Count this run's calls towards the daily budget as they are made, for a run may die."""
        if self._lease is None:
            return
        calls = self.run.destination.calls()
        note_calls(self.run.ledger, TARGET_SALESFORCE, calls - self._calls_noted)
        self._calls_noted = calls
