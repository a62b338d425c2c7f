"""Pipelines that a command starts and waits for: a tap, the mapper and a target.

Under Meltano `meltano run` starts them, with the settings and the STATE of the project. Elsewhere
the three processes are started here, with their settings from SALESFORCE_* and SWEO_*.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Final

from crosswalk.errors import FatalError
from salesforce_client.settings import LOGIN_SETTINGS

_LAST_LINES: Final = 3
_STOP_SECONDS: Final = 60
_SWEO_VARIABLES: Final = {
    "api_url": "SWEO_API_URL",
    "access_token": "SWEO_ACCESS_TOKEN",
    "sweo_version": "SWEO_VERSION",
}
_KINDS: Final = {"tap": "extractors", "target": "loaders"}
Settings = Mapping[str, Mapping[str, object]]
"""Settings by the name of their plugin."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A direction and the names of its three plugins, as Meltano knows them."""

    direction: str
    tap: str
    mapper: str
    target: str


PIPELINES: Final = (
    Pipeline("to_sweo", "tap-salesforce", "to-sweo", "target-sweo"),
    Pipeline("to_salesforce", "tap-sweo", "to-salesforce", "target-salesforce"),
)


class Started:
    """Processes at work; as a context it stops what still runs at its end."""

    def __init__(self, names: Sequence[str], folder: TemporaryDirectory[str]) -> None:
        self.names = list(names)
        self.folder = Path(folder.name)
        self._temporary = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Started:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._temporary.cleanup()

    def launch(self, commands: Sequence[Sequence[str]], **more: Any) -> None:
        """Start the commands, each reading what the one before it says. The last one's words are
        kept in a file. Ctrl-C at the terminal reaches this process alone.
        """
        source: int | IO[bytes] | None = subprocess.DEVNULL
        for number, command in enumerate(commands):
            is_last = number == len(commands) - 1
            with self._log(number).open("wb") as err, self.output.open("ab") as out:
                process = subprocess.Popen(  # noqa: S603 - our own plugins
                    command,
                    stdin=source,
                    stdout=out if is_last else subprocess.PIPE,
                    stderr=err,
                    start_new_session=True,
                    **more,
                )
            if self._processes and self._processes[-1].stdout:
                # Else a reader that ends early would leave its writer with an open pipe.
                self._processes[-1].stdout.close()
            self._processes.append(process)
            source = process.stdout

    @property
    def output(self) -> Path:
        """What the last process printed."""
        return self.folder / "output"

    def _log(self, number: int) -> Path:
        return self.folder / f"{number}.log"

    @property
    def is_running(self) -> bool:
        """Whether any process is at work."""
        return any(process.poll() is None for process in self._processes)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the last process to end; whether it did."""
        try:
            self._processes[-1].wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        for process in self._processes:
            process.wait()
        return True

    def checked(self) -> None:
        """Wait for all of them.

        Raises:
            FatalError: one failed; with its last words.
        """
        self.wait()
        # A writer fails because its reader did: the reader's words are the cause.
        for number in reversed(range(len(self._processes))):
            if self._processes[number].returncode:
                said = self._log(number).read_text(errors="replace").strip().splitlines()
                if len(self._processes) == 1:
                    said += self.output.read_text(errors="replace").strip().splitlines()
                last = said[-_LAST_LINES if len(self._processes) == 1 else -1 :]
                raise FatalError("\n".join([f"{self.names[number]} failed:", *last]))

    def stop(self) -> None:
        """Ask them to end, the first in the pipe first: then the others end behind their batch."""
        with suppress(KeyboardInterrupt):  # asked twice: no more patience
            for process in self._processes:
                if process.poll() is not None:
                    continue
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
                if self.wait(_STOP_SECONDS):
                    return
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def start_under_meltano(
    pipeline: Pipeline, project: Path, settings: Settings, *, state_suffix: str | None = None
) -> Started:
    """Have Meltano run the pipeline, with ``settings`` beside those of the project.

    ``state_suffix`` gives the run a STATE of its own.

    Raises:
        FatalError: Meltano is not there, or the project does not know a plugin or a setting.
    """
    # Cron starts it by its path, and then it is on no PATH.
    beside = [project / ".venv" / "bin", Path(os.environ.get("VIRTUAL_ENV", "")) / "bin"]
    places = os.pathsep.join([os.environ.get("PATH", ""), *map(str, beside)])
    meltano = shutil.which("meltano", path=places)
    if meltano is None:
        raise FatalError(
            "The command meltano is neither on the PATH nor in .venv/bin of the project; put its "
            "folder on the PATH."
        )
    _refuse_undeclared(project / "meltano.yml", settings)
    environ = {**os.environ, "MELTANO_RUN_FORCE": "true", **_environ(settings)}
    suffix = [f"--state-id-suffix={state_suffix}"] if state_suffix else []
    started = Started([f"{pipeline.tap} to {pipeline.target}"], _folder())
    started.launch(
        [[meltano, "run", *suffix, pipeline.tap, pipeline.mapper, pipeline.target]],
        cwd=project,
        env=environ,
    )
    return started


def _refuse_undeclared(file: Path, settings: Settings) -> None:
    """Meltano hands on only settings that the plugin declares."""
    from ruamel.yaml import YAML  # a tenth of a second

    plugins = YAML(typ="safe").load(file.read_text(encoding="utf-8")).get("plugins") or {}
    for name, given in settings.items():
        kind = _KINDS[name.split("-", 1)[0]]
        by_name = {plugin.get("name"): plugin for plugin in plugins.get(kind) or []}
        if name not in by_name:
            raise FatalError(f"meltano.yml has no {name} among its {kind}; add it.")
        declared: set[str] = set()
        at: str | None = name
        while at in by_name:
            plugin = by_name.pop(at)
            declared |= {setting.get("name") for setting in plugin.get("settings") or []}
            at = plugin.get("inherit_from")
        lacking = [setting for setting in given if setting not in declared]
        if lacking:
            raise FatalError(
                f"{name} in meltano.yml declares no {' and no '.join(lacking)}, so that Meltano "
                "would not hand it on; add it to the plugin's settings."
            )


def _environ(settings: Settings) -> dict[str, str]:
    return {
        f"{plugin}_{name}".upper().replace("-", "_"): (
            str(value).lower() if isinstance(value, bool) else str(value)
        )
        for plugin, given in settings.items()
        for name, value in given.items()
    }


def start_here(
    pipeline: Pipeline,
    settings: Settings,
    configs: Settings,
    common: Mapping[str, object],
    state: Mapping[str, object] | None,
) -> Started:
    """Start the three processes.

    ``common`` are settings of all three, ``configs`` a person's own by plugin, and ``settings``
    those that must hold whatever a person says.

    Raises:
        FatalError: a command is missing.
    """
    tap = pipeline.tap.partition("--")[0]  # an inherited plugin is the same program
    own: dict[str, dict[str, object]] = {
        pipeline.tap: {**_login(tap), **common, **configs.get(tap, {})},
        "mapper-sweo": {**common, "direction": pipeline.mapper},
        pipeline.target: {**_login(pipeline.target), **common},
    }
    # Nobody else can look into it: the settings hold the logins.
    started = Started([tap, "mapper-sweo", pipeline.target], _folder())
    try:
        commands: list[list[str]] = []
        for program, (plugin, given) in zip(started.names, own.items(), strict=True):
            file = started.folder / f"{program}.json"
            whole = {**given, **configs.get(plugin, {}), **settings.get(plugin, {})}
            file.write_text(json.dumps(whole))
            commands.append([_command(program), "--config", str(file)])
        if state:
            (started.folder / "state.json").write_text(json.dumps(state))
            commands[0] += ["--state", str(started.folder / "state.json")]
        started.launch(commands)
    except BaseException:
        started.__exit__(None, None, None)
        raise
    return started


def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="sweo-sync-")


def _command(name: str) -> str:
    beside = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if beside is None:
        raise FatalError(f"The command {name} is not on the PATH.")
    return beside


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
