"""The plugin: settings, and what becomes of each message."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
from crosswalk.errors import FatalError
from crosswalk.mapping import Config, Side
from crosswalk.problems import MappingErrors
from singer_runtime.command import MAPPING_SETTINGS, SyncCommand, read_config
from singer_runtime.reader import LineReader
from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper_base import InlineMapper
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage

from mapper_sweo.checking import CheckPlan
from mapper_sweo.lines import Message, chunks, message
from mapper_sweo.plan import StreamPlan, stream_note

if TYPE_CHECKING:
    import click
    import singer_sdk.singerlib as singer

_encode = msgspec.json.Encoder().encode
_DIRECTIONS: Final = {"to-sweo": Side.SWEO, "to-salesforce": Side.SALESFORCE}
_REFUSED_TYPES: Final = frozenset({"ACTIVATE_VERSION", "BATCH"})


class MapperSweo(InlineMapper):
    """Applies the field configs: the source's fields in, the destination's fields out.

    It keeps nothing, calls nothing and knows no clock. Streams that no tap of this project wrote
    pass through as they are.
    """

    name = "mapper-sweo"
    package_name = "sweo-mapper"
    message_reader_class = LineReader
    capabilities = [PluginCapabilities.ABOUT, PluginCapabilities.STRUCTURED_LOGGING]  # noqa: RUF012
    config_jsonschema = th.PropertiesList(
        th.Property(
            "direction",
            th.StringType,
            required=True,
            allowed_values=list(_DIRECTIONS),
            title="Direction",
            description="Where the records go: `to-sweo` behind tap-salesforce, `to-salesforce` "
            "behind tap-sweo.",
        ),
        *(setting for setting in MAPPING_SETTINGS if setting.name in ("mapping_file", "mappings")),
    ).to_dict()

    @cached_property
    def sync_config(self) -> Config:
        """The field configs.

        Raises:
            FatalError: they cannot be used. The tap before this plugin reads the same ones and
                lists every mistake, so here one sentence does.
        """
        try:
            return read_config(self.config)
        except MappingErrors as errors:
            count = len(errors.mistakes)
            raise FatalError(
                f"The field configs have {count} mistake{'' if count == 1 else 's'}; "
                "the tap and sweo-sync check list them."
            ) from None

    @cached_property
    def _plans(self) -> dict[str, StreamPlan | None]:
        """By stream: its plan, or None where it passes through."""
        return {}

    @property
    def _to(self) -> Side:
        return _DIRECTIONS[self.config["direction"]]

    def run(self, source: IO[bytes], sink: IO[bytes]) -> int:
        """Map every line of ``source`` into ``sink`` and return how many there were.

        Raises:
            FatalError: a line is no Singer message, or belongs to no stream of the field configs.
        """
        self.sync_config  # noqa: B018 - mistakes are told before anything is read
        number = 0
        heads: dict[str | None, tuple[bytes, StreamPlan]] = {}
        for lines in chunks(source):
            out: list[bytes] = []
            try:
                for line in lines:
                    number += 1
                    if not line or line.isspace():
                        continue
                    told = message(line, number)
                    head = heads.get(told.stream)
                    if (
                        told.type == "RECORD"
                        and head is not None
                        and told.record is not None
                        and told.time_extracted is None
                    ):
                        out += (head[0], _encode(head[1].record(told.record)), b"}\n")
                    else:
                        out.append(self._answer(told, line, number))
                        if told.type == "SCHEMA":
                            self._set_head(heads, told.stream)
            finally:
                # What came before a broken line is whole and goes on its way.
                sink.write(b"".join(out))
                sink.flush()
        return number

    def _set_head(
        self, heads: dict[str | None, tuple[bytes, StreamPlan]], stream: str | None
    ) -> None:
        heads.pop(stream, None)
        plan = self._plans.get(stream or "")
        if plan is not None:
            heads[stream] = b'{"type":"RECORD","stream":' + _encode(stream) + b',"record":', plan

    def _answer(self, told: Message, line: bytes, number: int) -> bytes:
        where = f"line {number} of the input"
        if told.type == "SCHEMA":
            schema = self._map_schema(told.stream, told.schema, where)
            if schema is None:
                return line + b"\n"
            return _encode(_schema_message(told.stream, schema)) + b"\n"
        if told.type == "RECORD":
            record = self._map_record(told.stream, told.record, where)
            if record is None:
                return line + b"\n"
            mapped = {"type": "RECORD", "stream": told.stream, "record": record}
            if told.time_extracted is not None:
                mapped["time_extracted"] = told.time_extracted
            return _encode(mapped) + b"\n"
        if told.type == "STATE":
            return line + b"\n"
        if told.type in _REFUSED_TYPES:
            raise FatalError(f"{told.type} ({where}) is not supported: it speaks of whole tables.")
        raise FatalError(f"The message of {where} is of an unknown type.")

    def _map_schema(
        self, stream: str | None, schema: dict[str, Any] | None, where: str
    ) -> dict[str, Any] | None:
        if stream is None or schema is None:
            raise FatalError(f"The SCHEMA of {where} lacks its stream or its schema.")
        note = stream_note(schema)
        if note is None:
            self._plans[stream] = None
            return None
        to = self._to
        if note.side == to.value:
            raise FatalError(
                f"The setting direction is {self.config['direction']}, but the records of "
                f"{stream} come from {to.value.capitalize()}."
            )
        mapping = self.sync_config.mapping(note.mapping)
        if mapping is None:
            raise FatalError(
                f"The tap reads the mapping {note.mapping}, which the field configs of mapper-sweo "
                "do not have; let both read the same mapping_file."
            )
        if note.events:
            self._plans[stream] = None
            return None
        plan = self._plans[stream] = (CheckPlan if note.check else StreamPlan)(mapping, schema, to)
        return plan.schema

    def _map_record(
        self, stream: str | None, record: dict[str, Any] | None, where: str
    ) -> dict[str, Any] | None:
        if stream is None or record is None:
            raise FatalError(f"The RECORD of {where} lacks its stream or its record.")
        if stream not in self._plans:
            raise FatalError(f"The RECORD of {where} comes before the SCHEMA of {stream}.")
        plan = self._plans[stream]
        return None if plan is None else plan.record(record)

    # The SDK's own way in, message by message.

    def map_schema_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        """The SCHEMA with the destination's fields."""
        stream, schema = message_dict["stream"], message_dict["schema"]
        mapped = self._map_schema(stream, schema, "a message")
        keys = message_dict.get("key_properties", []) if mapped is None else []
        yield SchemaMessage(stream=stream, schema=mapped or schema, key_properties=keys)

    def map_record_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        """The RECORD with canonical values under the destination's names."""
        stream, record = message_dict["stream"], message_dict["record"]
        mapped = self._map_record(stream, record, "a message")
        yield RecordMessage(stream=stream, record=record if mapped is None else mapped)

    def map_state_message(self, message_dict: dict[str, Any]) -> Iterable[singer.Message]:
        """The STATE, unchanged."""
        yield StateMessage(value=message_dict["value"])

    def map_activate_version_message(
        self, message_dict: dict[str, Any]
    ) -> Iterator[singer.Message]:
        """Refuse: it speaks of whole tables."""
        raise FatalError(f"{message_dict['type']} is not supported: it speaks of whole tables.")

    def map_batch_message(self, message_dict: dict[str, Any]) -> Iterator[singer.Message]:
        """Refuse: it speaks of whole tables."""
        raise FatalError(f"{message_dict['type']} is not supported: it speaks of whole tables.")

    # The command line.

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Map stdin, or the file that ``--input`` names, to stdout."""
        if about:
            cls.print_about(about_format)
            return
        mapper = cls(
            config=config.config if config else None,
            parse_env_config=config.parse_env if config else False,
        )
        source = sys.stdin.buffer if file_input is None else _bytes_of(file_input)
        try:
            mapper.run(source, sys.stdout.buffer)
        except BrokenPipeError:
            # The target ended first and has said why.
            raise FatalError("The target no longer reads what mapper-sweo writes.") from None

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The mapper's command line."""
        return SyncCommand.taking_over(super().get_singer_command(), cls.invoke)


def _schema_message(stream: str | None, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": []}


def _bytes_of(file_input: IO[str]) -> IO[bytes]:
    buffer: IO[bytes] = getattr(file_input, "buffer", None) or open(file_input.name, "rb")  # noqa: SIM115
    return buffer
