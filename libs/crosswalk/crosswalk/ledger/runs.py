"""Runs and leases: who writes to a side now, and what each run came to."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Mapping as MappingOf
from contextlib import suppress
from datetime import timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from crosswalk.errors import FatalError, RetryLaterError, SyncError
from crosswalk.ledger import schema
from crosswalk.ledger.book import Ledger
from crosswalk.ledger.clock import parse_stamp, stamp
from crosswalk.ledger.records import LeaseHolder
from crosswalk.ledger.trouble import translated_errors

HEARTBEAT_SECONDS: Final = 10.0
EXPIRES_SECONDS: Final = 60.0
"""A holder whose heart has not beaten for this long is taken for dead."""


class LeaseHeldError(SyncError):
    """Another process runs this direction now."""


class LeaseLostError(RetryLaterError):
    """This process was taken for dead, and another one runs its direction now."""


class Lease:
    """The right to write to one side. Renewed by a thread until it is released.

    The target's process holds it, because it outlives a killed Meltano.
    """

    def __init__(self, ledger: Ledger, direction: str, run_id: str) -> None:
        self.ledger = ledger
        self.direction = direction
        self.run_id = run_id
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, *, heartbeat: bool = True) -> None:
        """Take the lease, also from a dead holder.

        Raises:
            LeaseHeldError: where a living process holds it; says which, and since when.
        """
        table = schema.lease
        with translated_errors(), self.ledger.engine.begin() as connection:
            row = connection.execute(
                select(table).where(table.c.direction == self.direction).with_for_update()
            ).first()
            if row is not None and not _is_dead(self.ledger, row):
                raise LeaseHeldError(
                    f"Another run holds the lease for {self.direction}: process {row.pid} on "
                    f"{row.host}, since {row.since}. Wait for it to end; if that process is gone, "
                    f"the lease ends {EXPIRES_SECONDS:.0f} seconds after its last heartbeat "
                    f"({row.heartbeat_at})."
                )
            now = self.ledger.now()
            connection.execute(delete(table).where(table.c.direction == self.direction))
            connection.execute(
                insert(table).values(
                    direction=self.direction,
                    run_id=self.run_id,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    process_started=_mark_of(os.getpid()),
                    since=now,
                    heartbeat_at=now,
                )
            )
        if heartbeat:
            self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
            self._thread.start()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                self.renew()
            except SyncError:
                # The batch loop meets the same trouble and says so; the lease only ages.
                continue

    def confirm(self) -> None:
        """Make sure that the lease is still ours: a machine that slept may have lost it.

        Raises:
            LeaseLostError: another run took it.
        """
        table = schema.lease
        with translated_errors(), self.ledger.reader.connect() as connection:
            holder = connection.execute(
                select(table.c.run_id).where(table.c.direction == self.direction)
            ).scalar()
        if holder != self.run_id:
            raise LeaseLostError(
                f"This run stood still for more than {EXPIRES_SECONDS:.0f} seconds and lost its "
                f"lease for {self.direction}; it ends, and the next run goes on from here."
            )

    def renew(self) -> None:
        """Let the heart beat once; a lease that was lost stays lost."""
        table = schema.lease
        with translated_errors(), self.ledger.engine.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.direction == self.direction, table.c.run_id == self.run_id)
                .values(heartbeat_at=self.ledger.now())
            )

    def release(self) -> None:
        """Give the lease back."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        table = schema.lease
        with translated_errors(), self.ledger.engine.begin() as connection:
            connection.execute(
                delete(table).where(
                    table.c.direction == self.direction, table.c.run_id == self.run_id
                )
            )


def _is_dead(ledger: Ledger, row: Row[Any]) -> bool:
    # A heartbeat far in the future was made by a clock that was wrong, and must expire as well.
    if abs(ledger.clock() - parse_stamp(row.heartbeat_at)) > timedelta(seconds=EXPIRES_SECONDS):
        return True
    where, _, started = str(row.process_started).partition("/")
    return where == _here() and _process_started(row.pid) != started


def _mark_of(pid: int) -> str:
    """Where a process runs, and what tells it from a later one with the same number."""
    return f"{_here()}/{_process_started(pid)}"


@cache
def _here() -> str:
    """Tells apart whatever counts processes of its own: machines, boots, containers.

    Containers may share a host name, and then a number that is free here says nothing of there.
    """
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return blake2b("|".join(parts).encode(), digest_size=8).hexdigest()


def _process_started(pid: int) -> str:
    """What tells a process from a later one with the same number; empty where it is gone."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            return ""
        # A zombie holds nothing, although its number is still taken.
        return "" if fields[0] == "Z" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "alive"
    return "alive"


def living_holder(ledger: Ledger, direction: str) -> LeaseHolder | None:
    """Who runs a direction now, or None."""
    table = schema.lease
    with translated_errors(), ledger.reader.connect() as connection:
        row = connection.execute(select(table).where(table.c.direction == direction)).first()
    if row is None or _is_dead(ledger, row):
        return None
    return LeaseHolder(row.run_id, row.host, row.pid, row.since, row.heartbeat_at)


def begin_run(ledger: Ledger, run_id: str, direction: str) -> None:
    """Note that a run began."""
    with translated_errors(), ledger.engine.begin() as connection:
        connection.execute(
            insert(schema.run).values(id=run_id, direction=direction, started_at=ledger.now())
        )


def knows_run(ledger: Ledger, run_id: str) -> bool:
    """Whether the ledger remembers that run; it forgets those older than the retention."""
    with translated_errors(), ledger.reader.connect() as connection:
        found = connection.execute(select(schema.run.c.id).where(schema.run.c.id == run_id))
        return found.first() is not None


def end_run(
    ledger: Ledger, run_id: str, outcome: str, counts: MappingOf[str, object], calls: int
) -> None:
    """Note how a run ended."""
    with translated_errors(), ledger.engine.begin() as connection:
        connection.execute(
            update(schema.run)
            .where(schema.run.c.id == run_id)
            .values(ended_at=ledger.now(), outcome=outcome, counts=json.dumps(counts), calls=calls)
        )


def forget_before(ledger: Ledger, retention_days: int) -> None:
    """Drop lines of the sync log, settled conflicts and runs that are older than the retention."""
    limit = stamp(ledger.clock() - timedelta(days=retention_days))
    with translated_errors(), ledger.engine.begin() as connection:
        connection.execute(delete(schema.change).where(schema.change.c.at < limit))
        connection.execute(
            delete(schema.conflict).where(
                schema.conflict.c.at < limit, schema.conflict.c.status == "settled"
            )
        )
        connection.execute(delete(schema.run).where(schema.run.c.started_at < limit))


def approve(ledger: Ledger, run_id: str) -> str:
    """Let the next run of that run's direction write without limits; returns the direction.

    Raises:
        FatalError: where there is no such run.
    """
    with translated_errors(), ledger.reader.connect() as connection:
        direction = connection.execute(
            select(schema.run.c.direction).where(schema.run.c.id == run_id)
        ).scalar()
    if direction is None:
        raise FatalError(f"There is no run {run_id}; `sweo-sync status` names the last ones.")
    ledger.remember(_approval(direction), run_id)
    return str(direction)


def take_approval(ledger: Ledger, direction: str) -> bool:
    """Whether a person approved the next run of a direction; asking uses the approval up."""
    if not ledger.remembered(_approval(direction)):
        return False
    ledger.remember(_approval(direction), "")
    return True


def _approval(direction: str) -> str:
    return f"approved_{direction}"
