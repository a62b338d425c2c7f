"""One writer a direction: what the second is told, and when a dead holder's lease ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from crosswalk.ledger import Ledger, schema
from crosswalk.ledger.runs import (
    EXPIRES_SECONDS,
    Lease,
    LeaseHeldError,
    LeaseLostError,
    living_holder,
)
from sqlalchemy import select, update

HOLD = """
import sys
from datetime import datetime, timezone
from crosswalk.ledger import Ledger
from crosswalk.ledger.runs import Lease
moment = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
lease = Lease(Ledger.open(sys.argv[1], lambda: moment), "to_sweo", "theirs")
lease.acquire(heartbeat=False)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def acquired(ledger: Ledger, run_id: str, direction: str = "to_sweo") -> Lease:
    lease = Lease(ledger, direction, run_id)
    lease.acquire(heartbeat=False)
    return lease


def elsewhere(ledger: Ledger, host: str) -> None:
    """Make the lease that stands one of a process on another machine."""
    with ledger.engine.begin() as connection:
        connection.execute(
            update(schema.lease).values(host=host, pid=os.getpid(), process_started="there/1")
        )


def test_the_second_process_is_told_who_holds_it_since_when(
    ledger: Ledger, ledger_url: str
) -> None:
    with another_process(ledger_url) as holder:
        with pytest.raises(LeaseHeldError) as held:
            acquired(ledger, "mine")
        said = str(held.value)
        assert f"process {holder.pid} on {socket.gethostname()}" in said
        assert "since 2026-03-01T12:00:00" in said
        assert "to_sweo" in said
        found = living_holder(ledger, "to_sweo")
        assert found is not None
        assert (found.run_id, found.pid) == ("theirs", holder.pid)


def test_a_killed_process_of_this_machine_holds_nothing(ledger: Ledger, ledger_url: str) -> None:
    with another_process(ledger_url) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert living_holder(ledger, "to_sweo") is None
        acquired(ledger, "mine").confirm()


def test_a_zombie_holds_nothing(ledger: Ledger, ledger_url: str) -> None:
    with another_process(ledger_url) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        # Not waited for: its number is still taken.
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        acquired(ledger, "mine").confirm()


def test_a_number_that_another_process_took_over_holds_nothing(
    ledger: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    acquired(ledger, "theirs")
    with ledger.engine.begin() as connection:
        mark = connection.execute(select(schema.lease.c.process_started)).scalar_one()
        where = mark.partition("/")[0]
        connection.execute(update(schema.lease).values(process_started=f"{where}/12345"))
    acquired(open_ledger(), "mine").confirm()


@pytest.mark.parametrize("host", ["elsewhere", socket.gethostname()])
def test_a_holder_elsewhere_lives_as_long_as_its_heart_beats(
    ledger: Ledger, open_ledger: Callable[[], Ledger], clock, host: str
) -> None:
    """Also under this host's name: containers may share one, and count processes apart."""
    theirs = acquired(ledger, "theirs")
    elsewhere(ledger, host)
    other = open_ledger()
    for _ in range(5):
        clock.advance(seconds=EXPIRES_SECONDS - 1)
        with pytest.raises(LeaseHeldError, match=host):
            acquired(other, "mine")
        theirs.renew()
    clock.advance(seconds=EXPIRES_SECONDS + 1)
    mine = acquired(other, "mine")
    mine.confirm()
    with pytest.raises(LeaseLostError, match="lost its lease"):
        theirs.confirm()
    theirs.renew()
    theirs.release()
    mine.confirm()


def test_a_heartbeat_of_the_future_expires_as_well(
    ledger: Ledger, open_ledger: Callable[[], Ledger], clock
) -> None:
    clock.advance(days=400)
    acquired(ledger, "theirs")
    elsewhere(ledger, "elsewhere")
    clock.advance(days=-400)
    acquired(open_ledger(), "mine").confirm()


def test_directions_do_not_wait_for_each_other(ledger: Ledger) -> None:
    acquired(ledger, "a", "to_sweo")
    acquired(ledger, "b", "to_salesforce")


def test_a_lease_given_back_is_free_at_once(
    ledger: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    lease = Lease(ledger, "to_sweo", "a")
    lease.acquire()
    with pytest.raises(LeaseHeldError):
        acquired(open_ledger(), "b")
    lease.release()
    acquired(open_ledger(), "b")


def test_the_heart_beats_on_its_own(ledger: Ledger, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosswalk.ledger.runs.HEARTBEAT_SECONDS", 0.01)
    lease = Lease(ledger, "to_sweo", "a")
    lease.acquire()
    clock.advance(seconds=30)
    for _ in range(500):
        holder = living_holder(ledger, "to_sweo")
        assert holder is not None
        if holder.heartbeat_at == ledger.now():
            break
        lease._stop.wait(0.01)
    else:
        pytest.fail("no heartbeat")
    lease.release()
    assert living_holder(ledger, "to_sweo") is None
