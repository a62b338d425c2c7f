"""How long processes take, and how much memory they come to."""

from __future__ import annotations

import re
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NOISE_SECONDS = 0.05
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """Of one command: time by the clock, and processor time, children included."""

    clock_seconds: float
    processor_seconds: float


def run(
    command: Sequence[str],
    source: Path,
    environ: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> Cost:
    """Run a command on a file, its output thrown away.

    Raises:
        RuntimeError: it failed; the message has the end of its stderr.
    """
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with source.open("rb") as lines:
        done = subprocess.run(
            command,
            stdin=lines,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environ,
            cwd=cwd,
            check=False,
        )
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n" + done.stderr.decode()[-2_000:])
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(ended - begun, used)


def best_rates(
    commands: dict[str, Sequence[str]],
    sources: dict[str, tuple[Path, Path]],
    records: int,
    rounds: int,
    environ: dict[str, str] | None = None,
) -> dict[str, float | None]:
    """Records a second of processor time by name, the best of ``rounds``, taken in turns.

    ``sources`` has, by name, an input without records, whose time is start-up and is taken off,
    and the whole input. None where the records took no longer than start-up varies.
    """
    seen: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            for place, source in enumerate(sources[name]):
                cost = run(command, source, environ)
                seen.setdefault((name, place), []).append(cost.processor_seconds)
    spent = {name: min(seen[name, 1]) - min(seen[name, 0]) for name in commands}
    return {
        name: records / seconds if seconds > NOISE_SECONDS else None
        for name, seconds in spent.items()
    }


def peak_memory(commands: Sequence[Sequence[str]], environ: dict[str, str]) -> list[int]:
    """Run commands piped into one another; the peak resident memory of each, in KiB (Linux).

    Raises:
        RuntimeError: one of them failed.
    """
    processes: list[subprocess.Popen[bytes]] = []
    source = None
    for place, command in enumerate(commands):
        last = place == len(commands) - 1
        process = subprocess.Popen(
            command,
            stdin=source or subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if last else subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
        if source is not None:
            # Else a writer whose reader has failed would wait for ever.
            source.close()
        source = process.stdout
        processes.append(process)
    peaks = [0] * len(processes)
    while any(process.poll() is None for process in processes):
        for place, process in enumerate(processes):
            peaks[place] = max(peaks[place], _high_water(process.pid))
        time.sleep(POLL_SECONDS)
    for process, command in zip(processes, commands, strict=True):
        if process.returncode:
            raise RuntimeError(f"{command[0]} ended with exit code {process.returncode}.")
    return peaks


def _high_water(pid: int) -> int:
    """The most memory that a running process has held, in KiB; 0 once it has ended.

    What the kernel tells of an ended child begins with the memory of whoever started it.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) if found else 0
