"""What both targets share: batches, STATE, signals, the lease, and the run's last words.

STATE never leads the ledger: it leaves when every record before it, of every stream, is
committed, at most once a second. (The SDK keeps it to the end of the pipe.)
"""

from __future__ import annotations

import abc
import sys
import time
import typing as t
import uuid
from functools import cached_property

import msgspec
from crosswalk.errors import FatalError, SyncError
from crosswalk.fieldtype import FieldType
from crosswalk.ledger import Ledger, direction_to
from crosswalk.ledger.runs import (
    Lease,
    LeaseHeldError,
    begin_run,
    end_run,
    forget_before,
    take_approval,
)
from crosswalk.mapping import Side
from crosswalk.wire import KEYWORD, RUN, StreamNote
from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities

from singer_runtime.command import SyncCommand, read_config
from singer_runtime.context import RunContext
from singer_runtime.exchange import BATCH_RECORDS, PausedError, StreamExchange
from singer_runtime.limits import Limits
from singer_runtime.plain import PlainStream
from singer_runtime.planning import DryDestination, ScratchLedger, write_plan
from singer_runtime.reader import LineReader, require
from singer_runtime.summary import summary_of
from singer_runtime.timeline import Timeline

if t.TYPE_CHECKING:
    from types import FrameType

    import click
    from crosswalk.mapping import Config, Mapping

    from singer_runtime.destination import Destination
    from singer_runtime.incoming import Record

STATE_SECONDS: t.Final = 1.0
WAIT_SECONDS: t.Final = 600.0
"""How long a run waits for another one of its direction, where it was told to wait."""

_encode = msgspec.json.Encoder().encode


class SyncTarget(Target):
    """A target that exchanges records with one side under the rules of the field configs."""

    side: Side
    message_reader_class = LineReader
    message_reader: LineReader
    capabilities: t.ClassVar = [PluginCapabilities.ABOUT, PluginCapabilities.STRUCTURED_LOGGING]

    def __init__(self, **kwargs: t.Any) -> None:
        kwargs["setup_mapper"] = False
        super().__init__(**kwargs)
        self._buffer: list[Record] = []
        self._buffer_stream: str | None = None
        self._exchanges: dict[str, StreamExchange | PlainStream | Timeline] = {}
        self._state_in_buffer: dict[str, t.Any] | None = None
        self._state_ready: dict[str, t.Any] | None = None
        self._state_left_at = 0.0
        self._in_batch = False
        self._signal: int | None = None
        self._lease: Lease | None = None
        self._scratch: ScratchLedger | None = None
        self.message_reader.on_pause = self._catch_up

    @abc.abstractmethod
    def make_destination(self) -> Destination:
        """The side that is written to; must not call out before it is asked for something."""

    @cached_property
    def sync_config(self) -> Config:
        """The field configs."""
        return read_config(self.config)

    @property
    def is_dry(self) -> bool:
        """Whether this run only says what it would do."""
        return bool(self.config.get("dry_run"))

    @cached_property
    def run(self) -> RunContext:
        """This run, with its ledger.

        Raises:
            FatalError: where there is no place for a ledger, or it cannot be used.
        """
        url = self.sync_config.ledger_url
        if url is None:
            raise FatalError(
                "There is no place for the ledger; run under Meltano, or set SWEO_LEDGER_URL, "
                "for example to sqlite:///ledger.db."
            )
        destination = self.make_destination()
        if self.is_dry:
            self._scratch = ScratchLedger(url)
            ledger, destination = self._scratch.ledger, DryDestination(destination)
        else:
            ledger = Ledger.open(url)
        return RunContext(
            ledger=ledger,
            destination=destination,
            config=self.sync_config,
            run_id=uuid.uuid4().hex[:12],
            importing=bool(self.config.get("initial_import")),
            guarded=self.config.get("write_guard") != "none",
            limits=self._limits(ledger),
            log=self.logger.info,
        )

    def _limits(self, ledger: Ledger) -> Limits | None:
        if self.config.get("environment") == "sandbox":
            return None
        if take_approval(ledger, direction_to(self.side)):
            self.logger.info("A person approved this run: no limit on its writes.")
            return None
        most = 10**12  # a setting of 0 is no limit
        return Limits(
            int(self.config.get("max_writes", 10_000)) or most,
            int(self.config.get("max_clears", 500)) or most,
        )

    # messages

    def _process_schema_message(self, message_dict: dict[str, t.Any]) -> None:
        require(message_dict, "stream", "schema")
        self._flush()
        self._finish_streams()
        self._begin()
        name, schema = message_dict["stream"], message_dict["schema"]
        if KEYWORD not in schema:
            self._exchanges[name] = PlainStream(
                self.run, name, schema, message_dict.get("key_properties") or []
            )
            return
        note = msgspec.convert(schema[KEYWORD], StreamNote)
        mapping = self._mapping(note.mapping)
        if note.side != self.side.other.value:
            raise FatalError(
                f"{self.name} cannot take records of {note.side}; check the order of the plugins "
                "in the job."
            )
        if note.instance:
            org = mapping.org if self.side.other is Side.SALESFORCE else None
            self.run.ledger.bind(self.side.other, note.instance, org)
        if note.events:
            self._exchanges[name] = Timeline(self.run, mapping, note)
            return
        self._exchanges[name] = StreamExchange(self.run, mapping, note, _incoming_types(schema))

    def _mapping(self, name: str) -> Mapping:
        mapping = self.sync_config.mapping(name)
        if mapping is None:
            raise FatalError(
                f"The mapping {name} is not among the field configs that {self.name} reads; give "
                "every plugin the same mapping_file."
            )
        return mapping

    def _process_record_message(self, message_dict: dict[str, t.Any]) -> None:
        try:
            stream, record = message_dict["stream"], message_dict["record"]
        except KeyError:
            require(message_dict, "stream", "record")
            raise
        if stream != self._buffer_stream:
            self._flush()
            if stream not in self._exchanges:
                raise FatalError(f"A record of {stream} came before its SCHEMA.")
            self._buffer_stream = stream
        self._buffer.append(record)
        if len(self._buffer) >= BATCH_RECORDS:
            self._flush()

    def _process_state_message(self, message_dict: dict[str, t.Any]) -> None:
        require(message_dict, "value")
        if self._buffer or self._holds():
            self._state_in_buffer = message_dict["value"]
            if self._buffer and time.monotonic() - self._state_left_at >= STATE_SECONDS:
                self._flush()
        else:
            self._state_ready = message_dict["value"]
            self._let_state_out()

    def _process_activate_version_message(self, message_dict: dict[str, t.Any]) -> None:
        raise FatalError(
            f"{self.name} refuses ACTIVATE_VERSION (stream {message_dict.get('stream')}): it would "
            "mean deleting every record that was not sent."
        )

    def _process_batch_message(self, message_dict: dict[str, t.Any]) -> None:
        raise FatalError(
            f"{self.name} takes no BATCH messages (stream {message_dict.get('stream')}); switch "
            "batch_config off in the tap."
        )

    def process_endofpipe(self) -> None:
        """Exchange what is left, let the last STATE out and say what the run came to."""
        self._flush()
        self._finish_streams()
        self._let_state_out(at_once=True)
        self.finish("finished")

    # batches

    def _holds(self) -> bool:
        return any(exchange.holds for exchange in self._exchanges.values())

    def _finish_streams(self) -> None:
        """Write what waited for the end of its stream; only then may STATE pass it."""
        for exchange in self._exchanges.values():
            if exchange.holds:
                self._still_holds_lease()
                self._in_batch = True
                try:
                    exchange.finish()
                finally:
                    self._in_batch = False
        self._state_follows()

    def _state_follows(self) -> None:
        if self._state_in_buffer is not None and not self._holds():
            self._state_ready, self._state_in_buffer = self._state_in_buffer, None
        self._let_state_out(at_once=self._signal is not None)
        if self._signal is not None:
            self._end_by(self._signal)

    def _flush(self) -> None:
        if self._buffer:
            records, self._buffer = self._buffer, []
            self._still_holds_lease()
            self._in_batch = True
            try:
                self._exchanges[self._buffer_stream or ""].process(records)
            finally:
                self._in_batch = False
        self._state_follows()

    def _catch_up(self) -> None:
        self._flush()
        self._let_state_out(at_once=True)

    def _let_state_out(self, *, at_once: bool = False) -> None:
        state, now = self._state_ready, time.monotonic()
        if (
            self.is_dry
            or state is None
            or not (at_once or now - self._state_left_at >= STATE_SECONDS)
        ):
            return
        self._note_whole_reads(state)
        sys.stdout.write(_encode(self._signed(state)).decode() + "\n")
        sys.stdout.flush()
        self._state_ready, self._state_left_at = None, now

    def _signed(self, state: dict[str, t.Any]) -> dict[str, t.Any]:
        """STATE with the run that let it out, by which a tap knows a ledger from a backup."""
        marks = state.get("bookmarks")
        if not isinstance(marks, dict):
            return state
        signed = {
            name: {**mark, RUN: self.run.run_id}
            for name, mark in marks.items()
            if isinstance(mark, dict) and "ledger" in mark and name in self._exchanges
        }
        return {**state, "bookmarks": {**marks, **signed}}

    def _note_whole_reads(self, state: dict[str, t.Any]) -> None:
        for name, exchange in self._exchanges.items():
            if not isinstance(exchange, StreamExchange):
                continue
            bookmark = state.get("bookmarks", {}).get(name, {})
            whole_at = bookmark.get("whole") if isinstance(bookmark, dict) else None
            if whole_at is not None:
                known, _ = self.run.ledger.progress(self.run.direction, name)
                if known != whole_at:
                    self.run.ledger.note_progress(self.run.direction, name, whole_at=whole_at)

    # beginning and end

    def _begin(self) -> None:
        if self._lease is not None:
            return
        run = self.run
        lease = Lease(run.ledger, run.direction, run.run_id)
        self._acquire(lease)
        self._lease = lease
        begin_run(run.ledger, run.run_id, run.direction)
        forget_before(run.ledger, int(self.config.get("retention_days", 30)))

    def _acquire(self, lease: Lease) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        waits = self.config.get("when_busy") == "wait"
        told = False
        while True:
            try:
                lease.acquire()
            except LeaseHeldError as held:
                if not waits or time.monotonic() > deadline:
                    raise
                if not told:
                    self.logger.info("%s Waiting.", held)
                    told = True
                time.sleep(1)
            else:
                return

    def _still_holds_lease(self) -> None:
        if self._lease is not None:
            self._lease.confirm()

    def finish(self, outcome: str) -> None:
        """Note how the run ended, give the lease back, and say so. Safe to call twice."""
        if self._lease is None:
            return
        run = self.run
        calls = run.destination.calls()
        end_run(run.ledger, run.run_id, outcome, run.counts.as_dict(), calls)
        self._lease.release()
        self._lease = None
        self.logger.info("%s", summary_of(run, outcome, calls))
        if self.is_dry and self.config.get("plan_file"):
            write_plan(run, self.config["plan_file"])
        run.ledger.close()
        if self._scratch is not None:
            self._scratch.close()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # Inside a batch a flag ends the run behind the commit. Outside one nothing would ever
        # look at a flag: the target waits for a line that Meltano, ending, does not send.
        del frame
        if self._in_batch:
            self._signal = signum
            return
        self._end_by(signum)

    def _end_by(self, signum: int) -> t.NoReturn:
        self._signal = None
        self.finish(f"ended by signal {signum}")
        sys.exit(128 + signum)

    @classmethod
    def invoke(cls, **kwargs: t.Any) -> None:
        """Run the target as a command."""
        about, about_format = kwargs.get("about", False), kwargs.get("about_format")
        if about:
            cls.print_about(output_format=about_format)
            sys.exit(0)
        cls.print_version(print_fn=cls.logger.info)
        given = kwargs["config"]
        target = cls(config=given.config, validate_config=True, parse_env_config=given.parse_env)
        try:
            target.listen(kwargs.get("file_input"))
        except LeaseHeldError as held:
            if target.config.get("when_busy") != "skip":
                raise
            cls.logger.warning("%s", held)
            return
        except PausedError as paused:
            target.finish("paused")
            cls.logger.info("%s", paused)
            return
        except SyncError:
            target.finish("failed")
            raise
        if target.run.counts.quarantined:
            sys.exit(int(target.config.get("quarantine_exit_code", 0)))

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The target's command line."""
        return SyncCommand.taking_over(super().get_singer_command(), cls.invoke)

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        """The SDK's own settings (load method, metadata columns) mean nothing to an API."""


def _incoming_types(schema: dict[str, t.Any]) -> dict[str, FieldType]:
    return {
        name: msgspec.convert(prop[KEYWORD]["source"], FieldType)
        for name, prop in schema.get("properties", {}).items()
        if isinstance(prop, dict) and KEYWORD in prop
    }
