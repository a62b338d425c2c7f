"""A Meltano project with the repository's own file; its plugins are those of this environment."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crosswalk.ledger import Ledger
from crosswalk.ledger.report import RunReport, status
from ruamel.yaml import YAML
from sweo_sandbox.testing import Sandbox

COMMANDS = Path(sys.executable).parent
PROJECT_FILE = Path(__file__).parents[1] / "meltano.yml"
RUN_SECONDS = 200


@dataclass
class Project:
    """A copy of the project's meltano.yml in a folder of its own."""

    folder: Path
    environ: dict[str, str]
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "meltano.yml"

    def start(self, job: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self._started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(COMMANDS / "meltano"), "run", job],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(self, job: str) -> None:
        code = self.start(job).wait(RUN_SECONDS)
        assert code == 0, "\n".join(f.read_text() for f in sorted(self.folder.glob("*.log")))

    def meltano(self, *args: str, exit_code: int = 0) -> str:
        """Another command of Meltano; its stdout, and stderr too where it failed."""
        done = subprocess.run(
            [str(COMMANDS / "meltano"), *args],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + (done.stderr if exit_code == 1 else "")

    def stop(self) -> None:
        for process in self._started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def last_run(self, direction: str) -> RunReport | None:
        ledger = Ledger.open_existing(self.environ["SWEO_LEDGER_URL"])
        if ledger is None:
            return None
        last = next(d.last for d in status(ledger).directions if d.direction == direction)
        ledger.close()
        return last

    def states(self) -> dict[str, Any]:
        """What Meltano has saved, by its ids of STATE."""
        with sqlite3.connect(self.folder / ".meltano" / "meltano.db") as database:
            rows = database.execute("SELECT state_id, completed_state FROM state").fetchall()
        return {name: json.loads(text) for name, text in rows}


def make_project(sandbox: Sandbox, folder: Path) -> Project:
    """A project in ``folder`` that talks to the sandbox; nothing is installed."""
    yaml = YAML()
    document = yaml.load(PROJECT_FILE)
    for kind in document["plugins"].values():
        for plugin in kind:
            # Without it Meltano takes the executable from the PATH.
            plugin.pop("pip_url", None)
    yaml.width = 200
    with (folder / "meltano.yml").open("w") as out:
        yaml.dump(document, out)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MELTANO_", "SWEO_"))}
    return Project(
        folder,
        kept
        | sandbox.env()
        | {
            "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}",
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "SWEO_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        },
    )
