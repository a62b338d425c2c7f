"""Taps, mapper and targets as the processes that an operator's shell would start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipelines import TO_SWEO, Pipelines, Run

COMMANDS = Path(sys.executable).parent
PATIENCE_SECONDS = 90.0
READERS = {TO_SWEO: ("tap-salesforce", "target-sweo")}
OTHER_WAY = ("tap-sweo", "target-salesforce")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.005)


def names(direction: str) -> tuple[str, str]:
    """The tap and the target of a direction."""
    return READERS.get(direction, OTHER_WAY)


@dataclass
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    def said(self) -> str:
        """The end of stderr. Where a required setting is missing, the SDK says it in two lines."""
        return "\n".join(self.err.strip().splitlines()[-2:])


@dataclass
class Running:
    """One pipeline at work: three processes, their stderr in files."""

    tap: subprocess.Popen[bytes]
    mapper: subprocess.Popen[bytes]
    target: subprocess.Popen[bytes]

    def kill(self, which: str) -> None:
        """``kill -9``."""
        getattr(self, which).kill()

    def wait(self) -> dict[str, int]:
        """Wait for all three; returns their exit codes."""
        for process in (self.tap, self.mapper, self.target):
            process.wait(PATIENCE_SECONDS)
        return {name: getattr(self, name).returncode for name in ("tap", "mapper", "target")}


@dataclass
class Pipe:
    """A project run without Meltano: config files, a ledger, and STATE saved as Meltano saves it.

    Every line of the target's output replaces the saved STATE.
    """

    project: Pipelines
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.project.folder

    def command(self, plugin: str, direction: str, **settings: Any) -> list[str]:
        """The command line of a plugin, its config in a file."""
        config = self.project.config(plugin) | settings
        if plugin == "mapper-sweo":
            config["direction"] = direction.replace("_", "-")
            del config["ledger_url"]
        file = self.folder / f"{plugin}.{len(self._started)}.json"
        file.write_text(json.dumps({name: v for name, v in config.items() if v is not None}))
        command = [str(COMMANDS / plugin), "--config", str(file)]
        state = self._state_file(direction)
        if plugin.startswith("tap") and state.exists():
            saved = state.read_text().splitlines()
            if saved:
                (self.folder / "state.json").write_text(saved[-1])
                command += ["--state", str(self.folder / "state.json")]
        return command

    def start(self, direction: str) -> Running:
        """Start all three, piped into one another."""
        tap_name, target_name = names(direction)
        out = self._state_file(direction)
        target_command = self.command(target_name, direction)
        tap = self._popen(self.command(tap_name, direction), subprocess.DEVNULL, subprocess.PIPE)
        mapper = self._popen(self.command("mapper-sweo", direction), tap.stdout, subprocess.PIPE)
        with out.open("ab") as states:
            target = self._popen(target_command, mapper.stdout, states)
        # Else a killed reader would leave its writer with an open pipe.
        for process in (tap, mapper):
            assert process.stdout is not None
            process.stdout.close()
        return Running(tap, mapper, target)

    def run(self, direction: str) -> Run:
        """An undisturbed run with the saved STATE, within this process: the same code, sooner."""
        saved = self.states(direction)
        if saved:
            self.project.state[direction] = saved[-1]
        done = self.project.run(direction)
        self._state_file(direction).write_text(json.dumps(done.state) + "\n")
        return done

    def lines(self, direction: str) -> bytes:
        """What tap and mapper hand to the target now."""
        return self.project.map(direction, self.project.tap(direction))

    def alone(self, plugin: str, direction: str, lines: bytes = b"", **settings: Any) -> Ended:
        """One plugin by itself."""
        done = subprocess.run(
            self.command(plugin, direction, **settings),
            input=lines,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextmanager
    def fed(
        self, plugin: str, direction: str, **settings: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """One plugin with a stdin that stays open; killed at the end if it still runs."""
        command = self.command(plugin, direction, **settings)
        process = self._popen(command, subprocess.PIPE, subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def states(self, direction: str) -> list[dict[str, Any]]:
        """Every STATE that left the target, in order."""
        file = self._state_file(direction)
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def errors(self) -> str:
        """What all processes wrote to stderr."""
        return "\n".join(
            file.read_text(errors="replace") for file in sorted(self.folder.glob("*.err"))
        )

    def stop(self) -> None:
        """End what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def _state_file(self, direction: str) -> Path:
        return self.folder / f"{direction}.states"

    def _popen(
        self, command: list[str], source: int | IO[bytes] | None, sink: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self._started):02}.{Path(command[0]).name}.err"
        env = {k: v for k, v in os.environ.items() if not k.startswith("MELTANO_")}
        with log.open("wb") as err:
            process = subprocess.Popen(command, stdin=source, stdout=sink, stderr=err, env=env)
        self._started.append(process)
        return process
