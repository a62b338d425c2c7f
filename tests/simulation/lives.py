"""One life in one process: what became of it, in a form that can be sent to another."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from dataclasses import dataclass, field

from simulation.engine import Lost, Simulation
from simulation.plan import Plan


@dataclass
class Life:
    """``struck`` counts what befell it, ``led_to`` what the runs made of it.

    ``reason`` says what does not hold, ``failure`` all of it; ``digest`` stands for the trace.
    """

    seed: int
    plan: Plan
    struck: Counter[str]
    led_to: Counter[str]
    digest: str
    reason: str | None = None
    failure: str = ""
    trace: list[str] = field(default_factory=list)


def live(seed: int, plan: Plan | None = None) -> Life:
    """Live one life; any error of the system is a finding as well."""
    simulation = Simulation(seed, plan)
    reason, failure = None, ""
    try:
        simulation.live()
    except Exception as error:
        reason = str(error) if isinstance(error, Lost) else f"{type(error).__name__}: {error}"
        failure = traceback.format_exc()
    finally:
        simulation.close()
    return Life(
        seed=seed,
        plan=simulation.plan,
        struck=simulation.struck,
        led_to=simulation.led_to,
        digest=hashlib.sha256("\n".join(simulation.trace).encode()).hexdigest()[:16],
        reason=reason,
        failure=failure,
        trace=simulation.trace if reason else [],
    )
