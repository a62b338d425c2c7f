"""The whole system under faults: many lives, the same life twice, and every planted bug."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest
from simulation.planted import PLANTS, Plant, RottenPlantError
from simulation.pool import lives

HERE = Path(__file__).parent
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "24"))
JOBS = min(os.cpu_count() or 2, 8)
TWICE = (3, 14, 41)

pytestmark = pytest.mark.timeout(900)


def simulate(*arguments: str, hash_seed: str = "0") -> str:
    """What the command prints; its exit code is not looked at."""
    finished = subprocess.run(
        [sys.executable, "-m", "simulation", *arguments],
        cwd=HERE,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    return finished.stdout + finished.stderr


def test_no_edit_is_lost_in_any_life() -> None:
    with lives(range(SEEDS), jobs=JOBS) as lived:
        failed = [life for life in lived if life.reason]
    assert not failed, "\n".join(
        f"{life.reason}\n  make simulate SEED={life.seed}" for life in failed
    )


def test_a_life_is_the_same_twice_whatever_python_hashes() -> None:
    asked = [(seed, hash_seed) for seed in TWICE for hash_seed in ("1", "2")]
    with ThreadPoolExecutor(JOBS) as pool:
        told = list(
            pool.map(
                lambda each: simulate("--seed", str(each[0]), "--digest", hash_seed=each[1]), asked
            )
        )
    for seed, first, second in zip(TWICE, told[::2], told[1::2], strict=True):
        assert first == second, f"seed {seed} did not live the same life twice"
        assert first.endswith("holds\n"), first


def test_every_planted_bug_is_caught() -> None:
    with ThreadPoolExecutor(JOBS) as pool:
        told = dict(
            zip(
                PLANTS,
                pool.map(lambda name: simulate("--plant", name, "--jobs", "1"), PLANTS),
                strict=True,
            )
        )
    escaped = {
        name: output[-400:] for name, output in told.items() if "was caught by seed" not in output
    }
    assert not escaped


def test_there_are_at_least_fifteen_of_them() -> None:
    assert len(PLANTS) >= 15


@pytest.mark.parametrize("plant", PLANTS.values(), ids=list(PLANTS))
def test_a_planted_bug_fits_the_code_as_it_stands(plant: Plant) -> None:
    spec = find_spec(plant.module)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text()
    compile(plant.applied(source), spec.origin, "exec")


def test_a_planted_bug_that_no_longer_fits_is_an_error() -> None:
    plant = Plant("rotten", "no.such", old="x = 1", new="x = 2", breaks="nothing")
    with pytest.raises(RottenPlantError, match="0 times"):
        plant.applied("y = 1")
    with pytest.raises(RottenPlantError, match="2 times"):
        plant.applied("x = 1\nx = 1\n")
