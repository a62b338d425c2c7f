"""The stage: a sandbox in a temporary folder, and Meltano with a database and a ledger there.

Nothing of the project's own state (``.meltano``'s database, ``ledger/``) is read or written;
only the installed plugins are shared.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parent.parent
COMMANDS = Path(sys.executable).parent
OWN_PREFIXES = ("MELTANO_", "SALESFORCE_", "SWEO_", "TAP_", "TARGET_", "MAPPER_")
READY_SECONDS = 60.0
STOP_SECONDS = 10.0


class StepFailedError(Exception):
    """A command of the demo did not do its part; ``log`` is what it printed."""

    def __init__(self, what: str, log: str) -> None:
        super().__init__(what)
        self.log = log

    def tail(self, lines: int = 40) -> str:
        """The end of the log, without the frames of Meltano's own tracebacks."""
        told = [line for line in self.log.splitlines() if not line.startswith(("│", "╭", "╰"))]
        return "\n".join(told[-lines:])


@dataclass
class Stage:
    """A running sandbox, and the commands that play on it."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def ledger_url(self) -> str:
        """Where the demo's ledger is."""
        return f"sqlite:///{self.folder}/ledger.db"

    def install_plugins(self) -> None:
        """Let Meltano install the plugins, with the environment of whoever called."""
        self._run("meltano-install", [COMMANDS / "meltano", "install"], dict(os.environ))

    def seed(self, accounts: int, contacts: int) -> None:
        """Fill a sandbox that is not serving yet."""
        order = ["--accounts", str(accounts), "--contacts", str(contacts)]
        self._run("seed", [*self._sandbox("seed"), *order], dict(os.environ))

    def serve(self) -> None:
        """Start the sandbox on free ports and take the environment that its clients need.

        Raises:
            StepFailedError: it ended, or was not ready in time.
        """
        ports = ["--salesforce-port", "0", "--sweo-port", "0"]
        log = self.folder / "sandbox.log"
        with log.open("wb") as out:
            server = self._start([*self._sandbox("serve"), *ports], out, dict(os.environ))
        deadline = time.monotonic() + READY_SECONDS
        while "ready:" not in _text(log):
            if server.poll() is not None or time.monotonic() > deadline:
                raise StepFailedError("The sandbox did not start.", _text(log))
            time.sleep(0.05)
        printed = self._run("env", self._sandbox("env"), dict(os.environ))
        self.environ = _without_own_settings(os.environ)
        for line in printed.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self.environ[name] = shlex.split(value)[0] if value else ""
        self.environ |= {
            # An empty name outweighs a project's .env, which may hold another login.
            "SALESFORCE_USERNAME": "",
            "SALESFORCE_PRIVATE_KEY": "",
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder}/meltano.db",
            "MELTANO_AUTO_INSTALL": "false",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "SWEO_LEDGER_URL": self.ledger_url,
        }

    def run_job(self, job: str) -> str:
        """``meltano run JOB``; returns what it printed.

        Raises:
            StepFailedError: it did not exit with 0.
        """
        return self._run(job, [COMMANDS / "meltano", "run", job], self.environ)

    def stop(self) -> None:
        """End whatever this stage started and still runs."""
        for process in self._running:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        self._running.clear()

    def _sandbox(self, verb: str) -> list[str | Path]:
        return [COMMANDS / "sweo-sandbox", verb, "--data-dir", self.folder / "sandbox"]

    def _run(self, name: str, command: list[str | Path], environ: dict[str, str]) -> str:
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = self._start(command, out, environ)
        code = process.wait()
        self._running.remove(process)
        if code:
            shown = " ".join([Path(command[0]).name, *(str(part) for part in command[1:3])])
            raise StepFailedError(f"`{shown}` ended with exit code {code}.", _text(log))
        return _text(log)

    def _start(
        self, command: list[str | Path], out: IO[bytes], environ: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches this program only, which then ends the others.
        process = subprocess.Popen(  # noqa: S603 - commands of this project's environment
            [str(part) for part in command],
            cwd=PROJECT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._running.append(process)
        return process


@contextmanager
def stopped_at_the_end(stage: Stage) -> Iterator[Stage]:
    """Stop what ``stage`` started, however the block ends; SIGTERM counts as Ctrl-C."""

    def interrupt(number: int, frame: object) -> None:
        del number, frame
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield stage
    finally:
        stage.stop()
        signal.signal(signal.SIGTERM, former)


def _without_own_settings(environ: os._Environ[str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(OWN_PREFIXES)}


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
