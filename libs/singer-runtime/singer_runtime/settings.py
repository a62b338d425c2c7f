"""The settings that both targets have."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th

from singer_runtime.command import MAPPING_SETTINGS

TARGET_SETTINGS: t.Final = (
    *MAPPING_SETTINGS,
    th.Property(
        "when_busy",
        th.StringType,
        default="fail",
        allowed_values=["fail", "skip", "wait"],
        title="When busy",
        description="What to do where another run of this direction is at work: `fail` (exit "
        "code 1), `skip` (exit code 0), or `wait` for its end, ten minutes at most.",
    ),
    th.Property(
        "initial_import",
        th.BooleanType,
        default=False,
        title="Initial import",
        description="Let mappings that say `create: import` make missing records in this run.",
    ),
    th.Property(
        "quarantine_exit_code",
        th.IntegerType,
        default=0,
        title="Exit code for quarantine",
        description="Exit code of a run that finished and put something into quarantine.",
    ),
    th.Property(
        "max_writes",
        th.IntegerType,
        default=10_000,
        title="Most writes",
        description="How many records one run may write in one mapping before a person has to "
        "approve it (`sweo-sync approve`). 0: no limit. Off in the environment sandbox.",
    ),
    th.Property(
        "max_clears",
        th.IntegerType,
        default=500,
        title="Most clears",
        description="How many fields one run may empty in one mapping before a person has to "
        "approve it. 0: no limit. Off in the environment sandbox.",
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Write nothing, let no STATE out, and say what a run would do.",
    ),
    th.Property(
        "plan_file",
        th.StringType,
        title="Plan file",
        description="Where a dry run appends what it would do, one JSON object a line.",
    ),
    th.Property(
        "retention_days",
        th.IntegerType,
        default=30,
        title="Retention",
        description="For how many days the ledger keeps the sync log, settled conflicts and runs.",
    ),
)
