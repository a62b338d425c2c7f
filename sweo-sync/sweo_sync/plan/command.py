"""The command `plan`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from crosswalk.errors import FatalError

from sweo_sync.options import shared_options
from sweo_sync.pipelines import PIPELINES, Pipeline, Settings
from sweo_sync.plan.foretold import Foretold, read_plan
from sweo_sync.project import Project
from sweo_sync.running import Runner, pipeline_options
from sweo_sync.show import (
    DIRECTION_NAMES,
    console,
    counts_text,
    emit,
    storage_text,
    table,
    value_text,
)

ANYTHING_CHANGES: Final = 2


@click.command()
@click.option("--examples", default=5, show_default=True, help="Examples to show of each kind.")
@shared_options
@pipeline_options
def plan(
    project: Project, runner: Runner, as_json: bool, direction: str | None, examples: int
) -> None:
    """What the next run would create, change, link, hold and refuse; nothing is written.

    Both pipelines read from their saved STATE, which stays as it is, and the targets decide on a
    copy of the ledger. The second direction does not see what the first would have written.
    Without a STATE everything is read. Exits 0 where nothing would change, 2 where something
    would, 1 where it could not be told.
    """
    if not project.config.enabled:
        raise FatalError("There are no mappings, so that no run would do anything.")
    chosen = [each for each in PIPELINES if direction in (None, each.direction)]
    foretold = [_foretell(runner, pipeline) for pipeline in chosen]
    changes = any(each.changes_anything for each in foretold)
    if as_json:
        emit({"changes_anything": changes, "directions": foretold})
    else:
        for each in foretold:
            print_plan(each, examples)
        if not changes:
            console().print("Nothing would change.")
    click.get_current_context().exit(ANYTHING_CHANGES if changes else 0)


def _foretell(runner: Runner, pipeline: Pipeline) -> Foretold:
    with TemporaryDirectory(prefix="sweo-plan-") as folder:
        plan_file, progress_file = Path(folder) / "plan.jsonl", Path(folder) / "progress.jsonl"
        settings: Settings = {
            pipeline.target: {"dry_run": True, "plan_file": str(plan_file)},
            pipeline.tap: {"progress_file": str(progress_file)},
        }
        with runner.start(pipeline, settings) as started:
            started.checked()
        return read_plan(plan_file, progress_file, pipeline.direction)


def print_plan(foretold: Foretold, examples: int) -> None:
    """One direction, for a person: counts, cost, and ``examples`` of each kind."""
    out = console()
    out.print(DIRECTION_NAMES[foretold.direction], style="bold")
    out.print(counts_text(foretold.counts) or "nothing to do", soft_wrap=True)
    out.print(f"API calls of the run: {_cost(foretold)}.", soft_wrap=True)
    if foretold.counts.get("events"):
        out.print(
            f"Of the org's storage, for ever: {storage_text(foretold.counts['events'])}.",
            soft_wrap=True,
        )
    if foretold.changes:
        table("Fields", ("mapping", "field", "outcome", "records"), foretold.by_field())
        table(
            "Examples",
            ("mapping", "Salesforce id", "Sweo id", "field", "from", "to", "outcome"),
            [
                (
                    *(each.mapping, each.salesforce_id, each.sweo_id, each.field),
                    *(value_text(each.old), value_text(each.new), each.outcome),
                )
                for each in foretold.changes[:examples]
            ],
        )
    if foretold.linked:
        table(
            "Linked",
            ("mapping", "Salesforce id", "Sweo id"),
            [(p.mapping, p.salesforce_id, p.sweo_id) for p in foretold.linked[:examples]],
        )
    if foretold.held:
        table(
            "Held",
            ("mapping", "why", "status", "in Salesforce", "in Sweo"),
            [
                (h.mapping, h.reason, h.status, value_text(h.salesforce), value_text(h.sweo))
                for h in foretold.held[:examples]
            ],
        )
    if foretold.refused:
        table(
            "Refused",
            ("mapping", "record", "field", "code", "why", "what to do"),
            [
                (r.mapping, r.source_id, r.field, r.code, r.message, r.remedy)
                for r in foretold.refused[:examples]
            ],
        )


def _cost(foretold: Foretold) -> str:
    """Reads were made just now, writes are an estimate, each by the side that is asked."""
    read, written = ("Salesforce", "Sweo")
    if foretold.direction == "to_salesforce":
        read, written = written, read
    return (
        f"{foretold.tap_calls:,} to {read} and {foretold.read_calls:,} to {written} to read, made "
        f"just now, and about {foretold.write_calls:,} to {written} to write"
    )
