"""The tap's settings."""

from __future__ import annotations

from typing import Any, Final

from salesforce_client.settings import DAILY_CALLS, LOGIN_SETTINGS, Setting
from singer_runtime.command import MAPPING_SETTINGS
from singer_runtime.full_check import CHECK_SETTINGS
from singer_runtime.progress import PROGRESS_SETTING
from singer_sdk import typing as th


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


SETTINGS: Final = th.PropertiesList(
    *(_property(setting) for setting in LOGIN_SETTINGS),
    *MAPPING_SETTINGS,
    th.Property(
        "org",
        th.StringType,
        title="Org",
        description="The org that is read, as the mappings name it by `org:`. Default: the primary "
        "one, whose mappings name none.",
    ),
    th.Property(
        "overlap_minutes",
        th.IntegerType,
        title="Overlap",
        default=10,
        description="How far before the last watermark a read begins, for rows that were "
        "committed late. Rows that have not changed are dropped by the ledger.",
    ),
    th.Property(
        "backfill_minutes",
        th.NumberType,
        title="Backfill time",
        default=10,
        description="How long a run may read linked records once more for a field that is new.",
    ),
    th.Property(
        "bulk_threshold_rows",
        th.IntegerType,
        title="Bulk threshold",
        default=6_000,
        description="Never use Bulk API 2.0 for fewer rows; above, it is used where it takes "
        "fewer calls.",
    ),
    th.Property(
        "bulk_poll_seconds",
        th.NumberType,
        title="First Bulk poll",
        default=2,
        description="Pause before a Bulk job is first asked about; it doubles up to a minute.",
    ),
    *CHECK_SETTINGS,
    PROGRESS_SETTING,
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
    th.Property(
        "objects",
        th.ArrayType(th.StringType),
        title="Objects",
        description="Without mappings: the objects to read. Default: every object that can be "
        "queried and has `SystemModstamp`.",
    ),
)
