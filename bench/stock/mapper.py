"""A stock mapper that changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from singer_sdk import typing as th
from singer_sdk.mapper_base import InlineMapper
from singer_sdk.singerlib import Message, RecordMessage, SchemaMessage, StateMessage


class PassThrough(InlineMapper):
    """Reads each message and writes it again."""

    name = "pass-through"
    config_jsonschema = th.PropertiesList().to_dict()

    def map_schema_message(self, message_dict: dict[str, Any]) -> Iterator[Message]:
        yield SchemaMessage.from_dict(message_dict)

    def map_record_message(self, message_dict: dict[str, Any]) -> Iterator[Message]:
        yield RecordMessage.from_dict(message_dict)

    def map_state_message(self, message_dict: dict[str, Any]) -> Iterator[Message]:
        yield StateMessage.from_dict(message_dict)

    def map_activate_version_message(self, message_dict: dict[str, Any]) -> Iterator[Message]:
        yield from ()


if __name__ == "__main__":
    PassThrough.cli()
