"""What both taps share: streams that follow the mappings, and bookmarks of our own."""

from __future__ import annotations

import abc
import sys
import typing as t
from functools import cached_property

import msgspec
from crosswalk.ledger import Ledger
from crosswalk.ledger.runs import knows_run
from crosswalk.wire import KEYWORD, RUN, SOURCE, StreamNote
from singer_sdk import Stream, Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message

from singer_runtime.command import SyncCommand, read_config
from singer_runtime.progress import Progress

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping as MappingOf
    from types import FrameType

    import click
    from crosswalk.fieldtype import FieldType
    from crosswalk.mapping import Config, Mapping, Side
    from singer_sdk.helpers.types import Context, Record

Bookmark = dict[str, t.Any]

_encoder = msgspec.json.Encoder(decimal_format="number")


class LineWriter(GenericSingerWriter[bytes, Message]):
    """Writes Singer messages to stdout; flushes at every STATE and when asked.

    The SDK's writers flush once a message, which costs more than encoding it.
    """

    def serialize_message(self, message: Message) -> bytes:
        """One line of JSON."""
        return _encoder.encode(message.to_dict()) + b"\n"

    def write_message(self, message: Message) -> None:
        """Write one message and let it out."""
        self.write_line(self.serialize_message(message))
        self.flush()

    def write_record(self, stream: str, record: Record) -> None:
        """Write one RECORD; it may stay in the buffer until the next STATE."""
        self.write_line(
            _encoder.encode({"type": "RECORD", "stream": stream, "record": record}) + b"\n"
        )

    def write_line(self, line: bytes) -> None:
        """Write one encoded line."""
        sys.stdout.buffer.write(line)

    def flush(self) -> None:
        """Let out what the buffer holds."""
        sys.stdout.buffer.flush()


class MappedStream(Stream, abc.ABC):
    """The records of one mapping, as one side holds them.

    The SDK drives it; the order in which it calls is ``prepare``, ``note`` and ``types`` (for
    the SCHEMA), then ``get_records``, each record followed by ``advance``. Bookmarks are
    written by ``advance`` and ``get_records`` only, never derived from the last record.
    """

    STATE_MSG_FREQUENCY = 2_000

    def __init__(self, tap: SyncTap, mapping: Mapping) -> None:
        self.mapping = mapping
        self.sync_tap = tap
        super().__init__(tap=tap, name=mapping.name, schema={"type": "object", "properties": {}})
        self._writer = tap.message_writer

    @property
    def bookmark(self) -> Bookmark:
        """This stream's part of STATE, to be changed in place."""
        bookmarks = self.tap_state.setdefault("bookmarks", {})
        return bookmarks.setdefault(self.name, {})

    def prepare(self) -> None:
        """Make what ``note`` and ``types`` tell; called once, before the SCHEMA is written."""

    @abc.abstractmethod
    def note(self) -> StreamNote:
        """What the target must know of this read."""

    @abc.abstractmethod
    def types(self) -> MappingOf[str, FieldType]:
        """The types of the fields that this read carries, in the order of the mapping."""

    @abc.abstractmethod
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield records, values by source field name, ``_source`` last (a built-in dict)."""

    def advance(self, record: Record) -> None:
        """Move the bookmark past ``record``, which has just been written."""

    @property
    def selected(self) -> bool:
        """The field configs are the selection."""
        return True

    @selected.setter
    def selected(self, value: bool | None) -> None:
        del value

    def _write_schema_message(self) -> None:
        self.prepare()
        properties = {
            name: {KEYWORD: msgspec.to_builtins(field)} for name, field in self.types().items()
        }
        schema = {
            "type": "object",
            "properties": {**properties, SOURCE: {"type": "object"}},
            KEYWORD: msgspec.to_builtins(self.note()),
        }
        self._writer.write_line(
            _encoder.encode(
                {"type": "SCHEMA", "stream": self.name, "schema": schema, "key_properties": []}
            )
            + b"\n"
        )
        self._writer.flush()

    def _write_record_message(self, record: Record) -> None:
        self._writer.write_record(self.name, record)

    def _process_record(self, *args: t.Any, **kwargs: t.Any) -> None:
        """There are no child streams."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """The bookmark holds nothing that we did not write."""

    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        del context
        self.advance(latest_record)

    def _finalize_state(self, state: dict[str, t.Any] | None = None) -> None:
        """The bookmark is final as it stands."""

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """The bookmark is final as it stands; let it out once more if it changed."""
        del state
        self._write_state_message()

    def _write_state_message(self) -> None:
        self._tap.state_writer.write_state(self.tap_state)
        if self.sync_tap.progress.is_followed:
            self.sync_tap.progress.tell(calls=self.sync_tap.calls())


class SyncTap(Tap):
    """A tap whose streams are the mappings of the field configs, parents first.

    One whose mappings are all switched off has no streams. Without any mapping it is an ordinary
    SDK tap: ``discover_plain_streams`` says which.
    """

    side: Side
    capabilities: t.ClassVar = [
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    message_writer_class = LineWriter
    message_writer: LineWriter

    def __init__(self, **kwargs: t.Any) -> None:
        kwargs["setup_mapper"] = False
        super().__init__(**kwargs)
        if not self.sync_config.mappings:
            self.setup_mapper()
        self._doubt_state_of_lost_runs()

    @cached_property
    def sync_config(self) -> Config:
        """The field configs."""
        return read_config(self.config)

    @cached_property
    def progress(self) -> Progress:
        """Whoever started this run may follow it."""
        return Progress(self.config.get("progress_file"))

    @abc.abstractmethod
    def calls(self) -> int:
        """Metered API calls of this run so far."""

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """The mappings that are switched on, parents first."""
        return self.sync_config.enabled

    @cached_property
    def ledger(self) -> Ledger | None:
        """The ledger, read only; None where no place is known for it or none exists yet."""
        url = self.sync_config.ledger_url
        return Ledger.open_existing(url) if url else None

    def _doubt_state_of_lost_runs(self) -> None:
        """A ledger from a backup is older than STATE: what it forgot must be read again."""
        for name, mark in self.state.get("bookmarks", {}).items():
            if not isinstance(mark, dict) or not mark.get("ledger") or RUN not in mark:
                continue
            if self.ledger and not knows_run(self.ledger, mark[RUN]):
                self.logger.warning(
                    "%s: the ledger is older than STATE, as if it came from a backup.", name
                )
                mark["ledger"] = "a later one"

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of the mappings; the SDK would sort them by name."""
        if self._streams is None:
            found = super().streams
            order = {mapping.name: place for place, mapping in enumerate(self.mappings)}
            self._streams = dict(sorted(found.items(), key=lambda s: order.get(s[0], len(order))))
        return self._streams

    def discover_streams(self) -> list[Stream]:
        """One stream a mapping, or the plain streams where no mapping is declared at all."""
        if self.sync_config.mappings:
            found = [self.mapped_stream(mapping) for mapping in self.mappings]
            return [*found, *self.further_streams()]
        return list(self.discover_plain_streams())

    @abc.abstractmethod
    def mapped_stream(self, mapping: Mapping) -> MappedStream:
        """The stream of one mapping."""

    def further_streams(self) -> Iterable[Stream]:
        """What is read besides the mappings' records, behind them."""
        return ()

    @abc.abstractmethod
    def discover_plain_streams(self) -> Iterable[Stream]:
        """The streams of an ordinary Singer tap."""

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK would emit STATE here, past a record that was never written.
        del frame
        self.logger.info("Ended by signal %d.", signum)
        sys.exit(128 + signum)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The tap's command line."""
        return SyncCommand.taking_over(super().get_singer_command(), cls.invoke)
