"""Both pipelines, from their saved STATE, with targets in dry run: nothing written, no STATE moved.

Under Meltano `meltano run` starts them, with the settings and the STATE of the project. Elsewhere
the three processes are started here, with their settings from SALESFORCE_* and SWEO_*.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from crosswalk.errors import FatalError
from salesforce_client.settings import LOGIN_SETTINGS

_DRY: Final = ("dry_run", "plan_file")
_LAST_LINES: Final = 3
_SWEO_VARIABLES: Final = {
    "api_url": "SWEO_API_URL",
    "access_token": "SWEO_ACCESS_TOKEN",
    "sweo_version": "SWEO_VERSION",
}
Configs = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A direction and the names of its three plugins."""

    direction: str
    tap: str
    mapper: str
    target: str


PIPELINES: Final = (
    Pipeline("to_sweo", "tap-salesforce", "to-sweo", "target-sweo"),
    Pipeline("to_salesforce", "tap-sweo", "to-salesforce", "target-salesforce"),
)


def run_under_meltano(pipeline: Pipeline, project: Path, plan_file: Path) -> None:
    """Have Meltano run the pipeline dry.

    Raises:
        FatalError: Meltano is not there, the project would run it for real, or it failed.
    """
    meltano = shutil.which("meltano")
    if meltano is None:
        raise FatalError("The command meltano is not on the PATH.")
    _refuse_a_real_run(pipeline, project / "meltano.yml")
    environ = {**os.environ, **_dry_environ(pipeline, plan_file)}
    done = subprocess.run(  # noqa: S603 - the project's own plugins
        [meltano, "run", pipeline.tap, pipeline.mapper, pipeline.target],
        cwd=project,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = done.stdout.strip().splitlines()[-_LAST_LINES:]
        raise FatalError("\n".join([f"{pipeline.tap} to {pipeline.target} failed:", *last]))


def _refuse_a_real_run(pipeline: Pipeline, file: Path) -> None:
    """Meltano hands on only settings that the plugin declares: without them it would write."""
    from ruamel.yaml import YAML  # a tenth of a second

    document = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    loaders = (document.get("plugins") or {}).get("loaders") or []
    by_name = {loader.get("name"): loader for loader in loaders}
    name: str | None = pipeline.target
    declared: set[str] = set()
    while name in by_name:
        loader = by_name.pop(name)
        declared |= {setting.get("name") for setting in loader.get("settings") or []}
        name = loader.get("inherit_from")
    lacking = [setting for setting in _DRY if setting not in declared]
    if lacking:
        raise FatalError(
            f"The loader {pipeline.target} in meltano.yml declares no {' and no '.join(lacking)}; "
            "add them to its settings, else it would write."
        )


def run_here(
    pipeline: Pipeline,
    configs: Configs,
    common: Mapping[str, object],
    state: Mapping[str, object] | None,
    plan_file: Path,
) -> None:
    """Start the three processes and wait for them.

    ``configs`` are settings by plugin, ``common`` those of all three.

    Raises:
        FatalError: a command is missing, or one of them failed; with its last line.
    """
    dry = {"dry_run": True, "plan_file": str(plan_file)}
    settings: dict[str, dict[str, object]] = {
        pipeline.tap: {**_login(pipeline.tap), **common},
        "mapper-sweo": {**common, "direction": pipeline.mapper},
        pipeline.target: {**_login(pipeline.target), **common},
    }
    # Nobody else can look into it: the settings hold the logins.
    with TemporaryDirectory(prefix="sweo-plan-") as name:
        folder = Path(name)
        commands: list[list[str]] = []
        for plugin, own in settings.items():
            file = folder / f"{plugin}.json"
            last = dry if plugin == pipeline.target else {}
            file.write_text(json.dumps({**own, **configs.get(plugin, {}), **last}))
            commands.append([_command(plugin), "--config", str(file)])
        if state:
            (folder / "state.json").write_text(json.dumps(state))
            commands[0] += ["--state", str(folder / "state.json")]
        _pipe(commands, folder)


def _pipe(commands: list[list[str]], folder: Path) -> None:
    processes: list[subprocess.Popen[bytes]] = []
    logs = [folder / f"{number}.log" for number in range(len(commands))]
    try:
        source: int | IO[bytes] | None = subprocess.DEVNULL
        for command, log in zip(commands, logs, strict=True):
            with log.open("wb") as err:
                process = subprocess.Popen(  # noqa: S603 - our own plugins
                    command, stdin=source, stdout=subprocess.PIPE, stderr=err
                )
            if processes and processes[-1].stdout:
                # Else a reader that ends early would leave its writer with an open pipe.
                processes[-1].stdout.close()
            processes.append(process)
            source = process.stdout
        processes[-1].communicate()
        ended = [process.wait() for process in processes]
        # A writer fails because its reader did: the reader's words are the cause.
        for command, log, code in reversed(list(zip(commands, logs, ended, strict=True))):
            if code:
                last = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise FatalError("\n".join([f"{Path(command[0]).name} failed:", *last]))
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def _command(name: str) -> str:
    beside = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if beside is None:
        raise FatalError(f"The command {name} is not on the PATH.")
    return beside


def _dry_environ(pipeline: Pipeline, plan_file: Path) -> dict[str, str]:
    prefix = pipeline.target.upper().replace("-", "_")
    return {f"{prefix}_DRY_RUN": "true", f"{prefix}_PLAN_FILE": str(plan_file)}


def _login(plugin: str) -> dict[str, object]:
    """The settings that stand in variables of the same names for every plugin of a side."""
    if plugin.endswith("salesforce"):
        names = {each.name: f"SALESFORCE_{each.name.upper()}" for each in LOGIN_SETTINGS}
        del names["environment"]
    else:
        names = dict(_SWEO_VARIABLES)
    return {
        name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)
    }
