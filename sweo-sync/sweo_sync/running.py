"""What the commands share that run pipelines: their options, and which way they start them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from crosswalk.errors import FatalError

from sweo_sync.pipelines import (
    PIPELINES,
    Pipeline,
    Settings,
    Started,
    start_here,
    start_under_meltano,
)
from sweo_sync.project import Project
from sweo_sync.show import DIRECTION_NAMES

Command = TypeVar("Command", bound=Callable[..., object])


def pipeline_options(command: Command) -> Command:
    """Add --direction, --state and --config; the function gets ``direction`` and ``runner``.

    Stands inside ``shared_options``, which brings the project.
    """

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
        help="Without Meltano: the file of a pipeline's STATE.",
    )
    @click.option(
        "--config",
        "configs",
        multiple=True,
        metavar="PLUGIN=FILE",
        help="Without Meltano: a plugin's own JSON settings, beside SALESFORCE_* and SWEO_*.",
    )
    @wraps(command)
    def with_runner(
        *args: Any, project: Project, states: tuple[str, ...], configs: tuple[str, ...], **more: Any
    ) -> object:
        root = os.environ.get("MELTANO_PROJECT_ROOT")
        runner = Runner(
            project,
            meltano=Path(root) if root else None,
            state_files=dict(_state_file(each) for each in states),
            configs=dict(_config(each) for each in configs),
        )
        return command(*args, project=project, runner=runner, **more)

    return with_runner  # type: ignore[return-value]


@dataclass
class Runner:
    """Starts a pipeline under Meltano, or here where there is none or a STATE file is named.

    ``meltano`` is the project's folder. ``state_files`` are by direction.
    """

    project: Project
    meltano: Path | None = None
    state_files: Mapping[str, Path] = field(default_factory=dict)
    configs: Settings = field(default_factory=dict)

    def start(
        self, pipeline: Pipeline, settings: Settings, *, state_suffix: str | None = None
    ) -> Started:
        """Start it with its saved STATE; ``state_suffix`` is for another STATE in Meltano's place.

        Raises:
            FatalError: it cannot be started.
        """
        file = self.state_files.get(pipeline.direction)
        if self.meltano and file is None:
            return start_under_meltano(pipeline, self.meltano, settings, state_suffix=state_suffix)
        state = read_state(file) if file and file.exists() else None
        return start_here(pipeline, settings, self.configs, self._common(), state)

    @property
    def keeps_state_itself(self) -> bool:
        """Whether there is no Meltano to save STATE."""
        return self.meltano is None or bool(self.state_files)

    def keep_state(self, pipeline: Pipeline, started: Started) -> None:
        """Save the last STATE that left the pipeline, where Meltano does not."""
        file = self.state_files.get(pipeline.direction)
        if file is None or not started.output.exists():
            return
        whole, _, _ = started.output.read_text(encoding="utf-8").rpartition("\n")
        lines = whole.splitlines()
        if lines:
            new = file.with_name(f"{file.name}.new")
            new.write_text(lines[-1] + "\n", encoding="utf-8")
            new.replace(file)

    def _common(self) -> dict[str, object]:
        config = self.project.config
        url = self.project.ledger_url or config.ledger_url
        if url is None or config.file is None:
            raise FatalError(
                "Name the ledger (--ledger or SWEO_LEDGER_URL) and the field configs "
                "(--mapping-file)."
            )
        return {"mapping_file": str(Path(config.file).resolve()), "ledger_url": url}


def read_state(file: Path) -> dict[str, Any]:
    """STATE as a target printed it, of which the last line counts, or as `meltano state get` shows
    it.

    Raises:
        FatalError: the file holds none.
    """
    try:
        value = _last(file.read_text(encoding="utf-8").strip())
    except (OSError, ValueError, IndexError):
        value = None
    if not isinstance(value, dict):
        raise FatalError(f"{file}, which --state names, holds no STATE.")
    state: dict[str, Any] = value.get("singer_state", value)
    return state


def _last(text: str) -> Any:
    """Either one value, over several lines perhaps, or a value a line."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(text.splitlines()[-1])


def _state_file(text: str) -> tuple[str, Path]:
    direction, separator, name = text.partition("=")
    if not separator or direction not in DIRECTION_NAMES:
        raise click.BadParameter("write to_sweo=FILE or to_salesforce=FILE", param_hint="--state")
    return direction, Path(name)


def _config(text: str) -> tuple[str, dict[str, Any]]:
    plugin, _, name = text.partition("=")
    try:
        value = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise click.BadParameter(f"{name} holds no JSON object", param_hint="--config")
    return plugin, value
