"""The full check: everything is read once more, whatever the bookmarks say, a slice a run.

A run of one direction holds that direction's lease, so a check that took hours would stop the
ordinary runs for hours. It reads a slice and ends; its STATE says where the next run goes on.
A check has a STATE of its own because its plugin has a name of its own (``tap-…--full``).
STATE holds ``full_check``: ``began``, ``only`` (the mapping that it is limited to) and, behind the
last slice, ``ended``. In each bookmark ``check`` says which check its position belongs to, ``read``
how many records it has read, ``total`` how many are listed, and ``checked`` that the stream is
through.
"""

from __future__ import annotations

import logging
import time
import typing as t
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cached_property

from crosswalk.errors import FatalError
from crosswalk.ledger.clock import Clock, parse_stamp, stamp, system_clock
from crosswalk.ledger.disconnecting import how_to_connect
from singer_sdk import typing as th

from singer_runtime.progress import Progress
from singer_runtime.tap import MappedStream, SyncTap

if t.TYPE_CHECKING:
    from crosswalk.mapping import Mapping

CHECK_SETTINGS: t.Final = (
    th.Property(
        "full_check",
        th.BooleanType,
        default=False,
        title="Full check",
        description="Read every record whatever the bookmark says, a slice a run, with a STATE of "
        "its own; neither bookmarks nor the revisit list of the ordinary pipeline are touched. "
        "Set by the inherited plugin whose name ends in `--full`.",
    ),
    th.Property(
        "slice_records",
        th.IntegerType,
        default=20_000,
        title="Slice",
        description="After so many records a run of the full check ends, so that ordinary runs "
        "come between; the next run goes on from there.",
    ),
    th.Property(
        "check_every_hours",
        th.NumberType,
        default=20,
        title="Hours between full checks",
        description="A new full check begins at the earliest so long after the last one began; "
        "until then a run of the full check reads nothing. 0 begins one at once.",
    ),
    th.Property(
        "check_mapping",
        th.StringType,
        title="Mapping to check",
        description="The full check reads this mapping alone. Such a check needs a STATE of its "
        "own: `sweo-sync full-check --mapping` gives it one.",
    ),
)
"""The settings of both taps that concern the full check."""

LOG_SECONDS: t.Final = 5.0
_TELL_SECONDS: t.Final = 0.2


class FullCheck:
    """One full check over the streams ``names``, as far as STATE says it has come.

    ``kept`` are the keys of a bookmark that outlive a check. ``only`` is the mapping that the
    check is limited to. ``clock`` is this machine's.
    """

    def __init__(
        self,
        state: dict[str, t.Any],
        names: Sequence[str],
        *,
        kept: Iterable[str],
        slice_records: int,
        every_hours: float,
        ledger_id: str | None,
        clock: Clock,
        logger: logging.Logger,
        only: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._clock = clock
        now = clock()
        self._names = tuple(names)
        self._slice_records = slice_records
        self._logger = logger
        self._progress = progress or Progress(None)
        self._records = 0
        self._started = self._logged = self._told = time.monotonic()
        self._mark: dict[str, t.Any] = state.setdefault("full_check", {})
        self.rests = False
        began = self._mark.get("began")
        self._bookmarks: dict[str, t.Any] = state.setdefault("bookmarks", {})
        # The first run of all begins before its target has made the ledger.
        ledgers = {self._mark.get("ledger") or ledger_id}
        ledgers |= {self._bookmarks.get(name, {}).get("ledger", ledger_id) for name in names}
        other_ledger = ledgers != {ledger_id} or self._mark.get("only") != only
        ended = self._mark.get("ended") is not None
        if ended and not other_ledger and began is not None:
            self.rests = now - parse_stamp(began) < timedelta(hours=every_hours)
            if self.rests:
                logger.info("The last full check began at %s; none is due yet.", began)
        if began is None or other_ledger or (ended and not self.rests):
            self._mark.clear()
            self._mark.update(began=stamp(now), **({"only": only} if only else {}))
        if not self.rests:
            self._mark["ledger"] = ledger_id
            for name in self._names:
                self._begin(self._bookmarks.setdefault(name, {}), kept)
        self._progress.tell(check=self.began, ended=False, rests=self.rests)
        for name in self._names:
            self._tell(name)

    def _begin(self, bookmark: dict[str, t.Any], kept: Iterable[str]) -> None:
        if bookmark.get("check") == self.began:
            return
        stays = {key: bookmark[key] for key in kept if key in bookmark}
        bookmark.clear()
        bookmark.update(stays, check=self.began)

    @property
    def began(self) -> str:
        """When this check began; its name."""
        return str(self._mark["began"])

    @property
    def is_full(self) -> bool:
        """Whether this run has read its slice."""
        return self._records >= self._slice_records

    def is_wanted(self, name: str) -> bool:
        """Whether this run reads that stream, or reads on in it."""
        if self.rests or self.is_full or name not in self._names:
            return False
        return not self._is_checked(name)

    def _is_checked(self, name: str) -> bool:
        return bool(self._bookmarks.get(name, {}).get("checked"))

    def expect(self, name: str, records: int) -> None:
        """Say how many more records are listed; what was known at the beginning stays."""
        bookmark = self._bookmarks[name]
        bookmark.setdefault("total", int(bookmark.get("read", 0)) + records)
        self._tell(name)

    def count(self, name: str, records: int = 1) -> None:
        """Count records towards the slice; a line in the log every five seconds."""
        self._records += records
        bookmark = self._bookmarks[name]
        bookmark["read"] = int(bookmark.get("read", 0)) + records
        now = time.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            self._tell(name)
        if now - self._logged >= LOG_SECONDS:
            self._logged = now
            self._logger.info("Full check of %s: %s.", name, self._standing(name, now))

    def _tell(self, name: str) -> None:
        mark = self._bookmarks.get(name, {})
        self._progress.tell(
            mapping=name,
            read=mark.get("read", 0),
            total=mark.get("total"),
            checked=self._is_checked(name),
        )

    def _standing(self, name: str, now: float) -> str:
        """``12,000 of 48,000 records (25 %), 900 a second, 40 s left``."""
        mark = self._bookmarks[name]
        read, total = int(mark.get("read", 0)), mark.get("total")
        rate = self._records / max(now - self._started, 0.001)
        if not total or total <= read:
            return f"{read:,} records, {rate:,.0f} a second"
        left = f", {(total - read) / rate:,.0f} s left" if rate else ""
        share = f"{read / total:.0%}"
        return f"{read:,} of {total:,} records ({share}), {rate:,.0f} a second{left}"

    def pause(self, name: str) -> None:
        """Say that the rest of a stream is left to the next run."""
        self._tell(name)
        self._logger.info(
            "Full check of %s: this slice is read (%s records); the next run goes on.",
            name,
            f"{self._records:,}",
        )

    def finish(self, name: str) -> None:
        """Note that a stream is through; behind the last one the check has ended."""
        self._bookmarks[name]["checked"] = True
        self._tell(name)
        self._logger.info("Full check of %s: finished.", name)
        if all(self._is_checked(each) for each in self._names):
            self._mark["ended"] = stamp(self._clock())
            self._progress.tell(check=self.began, ended=True, rests=False)
            self._logger.info("The full check that began at %s is finished.", self.began)


class CheckingTap(SyncTap):
    """A tap that can run full checks, and that leaves out what a person paused."""

    kept_by_a_check: t.ClassVar[tuple[str, ...]] = ()
    """Keys of a bookmark that outlive a full check."""

    def load_state(self, state: dict[str, t.Any]) -> None:
        """Take over STATE; the SDK would keep the bookmarks alone."""
        super().load_state(state)
        if "full_check" in state:
            kept = t.cast("dict[str, t.Any]", self.state)
            kept["full_check"] = dict(state["full_check"])

    @cached_property
    def active(self) -> tuple[Mapping, ...]:
        """The mappings that are neither switched off nor paused, parents first."""
        paused = self.ledger.paused() if self.ledger else set()
        left_out = [m.name for m in self.mappings if "*" in paused or m.name in paused]
        disconnected = how_to_connect(self.ledger) if self.ledger else None
        if disconnected:
            self.logger.warning("%s", disconnected)
        elif left_out:
            self.logger.info(
                "Paused, so not read: %s. `sweo-sync resume` lets them go on from where they are.",
                ", ".join(left_out),
            )
        return tuple(m for m in self.mappings if m.name not in left_out)

    @cached_property
    def check(self) -> FullCheck | None:
        """The full check that this run takes part in; None in an ordinary run."""
        if not self.config.get("full_check"):
            return None
        clock = self.ledger.clock if self.ledger else system_clock
        only = self.config.get("check_mapping")
        if only and self.sync_config.mapping(only) is None:
            raise FatalError(f"check_mapping: there is no mapping {only}.")
        return FullCheck(
            t.cast("dict[str, t.Any]", self.state),
            [mapping.name for mapping in self.active if only in (None, mapping.name)],
            kept=self.kept_by_a_check,
            slice_records=int(self.config["slice_records"]),
            every_hours=float(self.config["check_every_hours"]),
            ledger_id=self.ledger.id if self.ledger else None,
            clock=clock,
            logger=self.logger,
            only=only,
            progress=self.progress,
        )

    def reads(self, name: str) -> bool:
        """Whether this run reads the mapping of that name now."""
        if all(mapping.name != name for mapping in self.active):
            return False
        return self.check is None or self.check.is_wanted(name)


class CheckingStream(MappedStream):
    """A stream that is left out while its mapping is paused or checked already."""

    checking_tap: CheckingTap

    @property
    def selected(self) -> bool:
        """Whether this run reads the stream; asked when its turn comes."""
        return self.checking_tap.reads(self.name)

    @selected.setter
    def selected(self, value: bool | None) -> None:
        del value  # the field configs are the selection
