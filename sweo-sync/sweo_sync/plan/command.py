"""The command `plan`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from crosswalk.errors import FatalError
from crosswalk.mapping import Config

from sweo_sync.options import shared_options
from sweo_sync.plan.foretold import Foretold, read_plan
from sweo_sync.plan.pipelines import PIPELINES, run_here, run_under_meltano
from sweo_sync.project import Project
from sweo_sync.show import DIRECTION_NAMES, console, emit, table, value_text

ANYTHING_CHANGES: Final = 2
_WORDS: Final = {
    "created": "created",
    "linked": "linked",
    "updated": "records changed",
    "fields": "fields changed",
    "attached": "attached to their company",
    "unlinked": "links ended",
    "conflicts": "conflicts decided",
    "held": "held for a decision",
    "quarantined": "refused",
    "waiting": "waiting for their other half",
    "duplicates": "duplicates left out",
    "without_key": "without a match value",
    "deferred": "put off",
    "unchanged": "unchanged",
    "read": "read",
}


@click.command()
@click.option(
    "--direction",
    type=click.Choice([each.direction for each in PIPELINES]),
    help="Only one pipeline. Default: both.",
)
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="DIRECTION=FILE",
    help="Without Meltano: a pipeline's saved STATE. Without one it reads everything.",
)
@click.option(
    "--config",
    "config_files",
    multiple=True,
    metavar="PLUGIN=FILE",
    help="Without Meltano: a plugin's own JSON settings, beside SALESFORCE_* and SWEO_*.",
)
@click.option("--examples", default=5, show_default=True, help="Changes to show of each direction.")
@shared_options
def plan(
    project: Project,
    as_json: bool,
    direction: str | None,
    states: tuple[str, ...],
    config_files: tuple[str, ...],
    examples: int,
) -> None:
    """What the next run would create, change, link, hold and refuse; nothing is written.

    Both pipelines read from their saved STATE, which stays as it is. Exits 0 where nothing would
    change, 2 where something would, 1 where it could not be told.
    """
    config = project.config
    if not config.enabled:
        raise FatalError("There are no mappings, so that no run would do anything.")
    saved = dict(_state(each) for each in states)
    configs = dict(_config(each) for each in config_files)
    chosen = [each for each in PIPELINES if direction in (None, each.direction)]
    root = os.environ.get("MELTANO_PROJECT_ROOT")
    foretold: list[Foretold] = []
    with TemporaryDirectory(prefix="sweo-plan-") as folder:
        for pipeline in chosen:
            plan_file = Path(folder) / f"{pipeline.direction}.jsonl"
            state = saved.get(pipeline.direction)
            if root and not state:
                run_under_meltano(pipeline, Path(root), plan_file)
            else:
                run_here(pipeline, configs, _common(project, config), state, plan_file)
            foretold.append(read_plan(plan_file, pipeline.direction))
    changes = any(each.changes_anything for each in foretold)
    if as_json:
        emit({"changes_anything": changes, "directions": foretold})
    else:
        for each in foretold:
            _print(each, examples)
        if not changes:
            console().print("Nothing would change.")
    click.get_current_context().exit(ANYTHING_CHANGES if changes else 0)


def _common(project: Project, config: Config) -> dict[str, object]:
    url = project.ledger_url or config.ledger_url
    if url is None or config.file is None:
        raise FatalError(
            "Name the ledger (--ledger or SWEO_LEDGER_URL) and the field configs (--mapping-file)."
        )
    return {"mapping_file": str(Path(config.file).resolve()), "ledger_url": url}


def _config(text: str) -> tuple[str, dict[str, Any]]:
    plugin, _, name = text.partition("=")
    try:
        value = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise click.BadParameter(f"{name} holds no JSON object", param_hint="--config")
    return plugin, value


def _state(text: str) -> tuple[str, dict[str, Any]]:
    direction, separator, name = text.partition("=")
    if not separator or direction not in DIRECTION_NAMES:
        raise click.BadParameter("write to_sweo=FILE or to_salesforce=FILE", param_hint="--state")
    try:
        value = _last(Path(name).read_text(encoding="utf-8").strip())
    except (OSError, ValueError, IndexError):
        raise click.BadParameter(f"{name} holds no STATE", param_hint="--state") from None
    if not isinstance(value, dict):
        raise click.BadParameter(f"{name} holds no STATE", param_hint="--state")
    # `meltano state get` wraps it.
    return direction, value.get("singer_state", value)


def _last(text: str) -> Any:
    """Either one value, over several lines perhaps, or what a target printed: a value a line."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(text.splitlines()[-1])


def _print(foretold: Foretold, examples: int) -> None:
    out = console()
    out.print(DIRECTION_NAMES[foretold.direction], style="bold")
    counts = [f"{foretold.counts[n]:,} {w}" for n, w in _WORDS.items() if foretold.counts.get(n)]
    out.print(f"{', '.join(counts) or 'nothing to do'}", soft_wrap=True)
    out.print(
        f"The target's API calls: {foretold.read_calls:,} to read, made just now, and about "
        f"{foretold.write_calls:,} to write.",
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
