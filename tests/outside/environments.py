"""An environment of its own for each outside client, made once and kept under ``.venv-outside``.

A client is installed from its package index as it is, with only what it asks for itself; nothing
of this project is on its path.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".venv-outside"

CLIENTS: dict[str, list[str]] = {
    "simple-salesforce": ["simple-salesforce==1.12.10"],
    "python-intercom": ["python-intercom==5.0.1"],
    "schemathesis": ["schemathesis==4.32.5"],
    "cumulusci": ["cumulusci==4.10.1"],
}


def home_of(client: str, requirements: list[str] | None = None) -> Path:
    """The client's environment, made when it is missing or was made from other requirements.

    ``requirements`` are needed for a client that :data:`CLIENTS` does not name.
    """
    wanted = requirements or CLIENTS[client]
    home, note = KEPT / client, KEPT / f"{client}.txt"
    text = "\n".join([*wanted, sys.version]) + "\n"
    if not note.exists() or note.read_text() != text:
        uv = Path(sys.prefix) / "bin" / "uv"
        python = home / "bin" / "python"
        run = [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(home)]
        subprocess.run(run, check=True)
        subprocess.run(
            [str(uv), "pip", "install", "--quiet", "--python", str(python), *wanted], check=True
        )
        note.write_text(text)
    return home


def run_program(
    client: str, program: Path, environment: dict[str, str], *, timeout_seconds: float = 400
) -> str:
    """Run a program with the client's Python and give what it printed.

    Raises:
        AssertionError: it failed; the message holds all it wrote.
    """
    python = home_of(client) / "bin" / "python"
    return run([str(python), "-I", str(program)], environment, timeout_seconds=timeout_seconds)


def run(
    command: list[str],
    environment: dict[str, str],
    *,
    timeout_seconds: float = 400,
    directory: Path | None = None,
) -> str:
    """Run a command with nothing of this shell's environment but its path, and these variables.

    Raises:
        AssertionError: it failed; the message holds all it wrote.
    """
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    )
    return done.stdout
