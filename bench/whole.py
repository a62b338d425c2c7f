"""Whole runs under ``meltano run``: this pipeline and the stock one, on the same org."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench.timing import Cost, run
from bench.workbench import COMMANDS, PROJECT, Workbench

OURS, STOCK, RELAY = "salesforce-to-sweo", "stock", "relay"


def project(bench: Workbench) -> Path:
    """A Meltano project with both pipelines; their executables are found on the PATH."""
    folder = bench.folder / "project"
    scripts = folder / "scripts"
    scripts.mkdir(parents=True)
    for kind in ("tap", "mapper", "target"):
        # Meltano takes PYTHONPATH away from its plugins.
        line = f'PYTHONPATH="{PROJECT}" exec "{sys.executable}" -m bench.stock.{kind} "$@"'
        _script(scripts / f"stock-{kind}", line)
    _script(scripts / "relay-tap", 'exec cat "$BENCH_LINES"')
    _script(scripts / "relay-mapper", "exec cat")
    _script(scripts / "relay-target", "exec cat > /dev/null")
    document = YAML(typ="safe").load(PROJECT / "meltano.yml")
    plugins = document["plugins"]
    for kind in plugins.values():
        for plugin in kind:
            plugin.pop("pip_url", None)
    stateful = {"capabilities": ["state", "catalog", "discover"]}
    plugins["extractors"] += [_plugin("stock-tap", **stateful), _plugin("relay-tap")]
    plugins["loaders"] += [_plugin("stock-target"), _plugin("relay-target")]
    for name in (STOCK, RELAY):
        mapping = {"name": f"{name}-map", "config": {}}
        plugins["mappers"].append(_plugin(f"{name}-mapper", mappings=[mapping]))
        task = f"{name}-tap {name}-map {name}-target"
        document["jobs"].append({"name": name, "tasks": [task]})
    document["annotations"]["sweo"]["mappings"] = [bench.mapping]
    YAML().dump(document, folder / "meltano.yml")
    return folder


def _script(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


def _plugin(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": name.replace("-", "_"), "executable": name, **more}


class Runs:
    """``meltano run``, timed."""

    def __init__(self, bench: Workbench) -> None:
        self.folder = project(bench)
        path = f"{self.folder / 'scripts'}:{COMMANDS}:{bench.environ['PATH']}"
        self.environ = bench.environ | {
            "PATH": path,
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        self.run("config list", arguments=["config", "list", "tap-sweo"])

    def run(self, job: str, lines: Path | None = None, arguments: list[str] | None = None) -> Cost:
        """Run a job; ``lines`` are what the relay's tap sends."""
        environ = self.environ | {"BENCH_LINES": str(lines or Path("/dev/null"))}
        command = [str(COMMANDS / "meltano"), *(arguments or ["run", job])]
        return run(command, Path("/dev/null"), environ, self.folder)

    def relay_rate(self, lines: Path, records: int, rounds: int) -> float:
        """Records a second by the clock that Meltano carries from tap to mapper to target."""
        empty = min(self.run(RELAY).clock_seconds for _ in range(rounds))
        whole = min(self.run(RELAY, lines).clock_seconds for _ in range(rounds))
        return records / (whole - empty)
