"""The messages of the vendor's ``pubsub_api.proto`` (package ``eventbus.v1``), made at import.

They live in a descriptor pool of their own: a client's generated code in the same process may
register the same names in the common one.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

PACKAGE = "eventbus.v1"
SERVICE = f"{PACKAGE}.PubSub"
LATEST, EARLIEST, CUSTOM = 0, 1, 2

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
}
_ENUMS = {
    "ErrorCode": ("UNKNOWN", "PUBLISH", "COMMIT"),
    "ReplayPreset": ("LATEST", "EARLIEST", "CUSTOM"),
}
# Fields are numbered from 1 in this order; "*" marks a repeated one.
_MESSAGES = {
    "TopicRequest": ("topic_name string",),
    "TopicInfo": (
        "topic_name string",
        "tenant_guid string",
        "can_publish bool",
        "can_subscribe bool",
        "schema_id string",
        "rpc_id string",
    ),
    "SchemaRequest": ("schema_id string",),
    "SchemaInfo": ("schema_json string", "schema_id string", "rpc_id string"),
    "EventHeader": ("key string", "value bytes"),
    "ProducerEvent": ("id string", "schema_id string", "payload bytes", "headers *EventHeader"),
    "ConsumerEvent": ("event ProducerEvent", "replay_id bytes"),
    "FetchRequest": (
        "topic_name string",
        "replay_preset ReplayPreset",
        "replay_id bytes",
        "num_requested int32",
        "auth_refresh string",
    ),
    "FetchResponse": (
        "events *ConsumerEvent",
        "latest_replay_id bytes",
        "rpc_id string",
        "pending_num_requested int32",
    ),
    "Error": ("code ErrorCode", "msg string"),
    "PublishResult": ("replay_id bytes", "error Error", "correlation_key string"),
    "PublishRequest": ("topic_name string", "events *ProducerEvent", "auth_refresh string"),
    "PublishResponse": ("results *PublishResult", "schema_id string", "rpc_id string"),
    "CommitReplayRequest": ("commit_request_id string", "replay_id bytes"),
    "CommitReplayResponse": (
        "commit_request_id string",
        "replay_id bytes",
        "error Error",
        "process_time int64",
    ),
    "ManagedFetchRequest": (
        "subscription_id string",
        "developer_name string",
        "num_requested int32",
        "auth_refresh string",
        "commit_replay_id_request CommitReplayRequest",
    ),
    "ManagedFetchResponse": (
        "events *ConsumerEvent",
        "latest_replay_id bytes",
        "rpc_id string",
        "pending_num_requested int32",
        "commit_response CommitReplayResponse",
    ),
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    described = descriptor_pb2.FileDescriptorProto(
        name="pubsub_api.proto", package=PACKAGE, syntax="proto3"
    )
    for name, values in _ENUMS.items():
        enum = described.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = described.message_type.add(name=name)
        for number, text in enumerate(fields, start=1):
            field_name, _, kind = text.partition(" ")
            field = message.field.add(name=field_name, number=number, label=_Field.LABEL_OPTIONAL)
            if kind.startswith("*"):
                field.label = _Field.LABEL_REPEATED
                kind = kind[1:]
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type = _Field.TYPE_ENUM if kind in _ENUMS else _Field.TYPE_MESSAGE
                field.type_name = f".{PACKAGE}.{kind}"
    return described


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


TopicRequest = _message("TopicRequest")
TopicInfo = _message("TopicInfo")
SchemaRequest = _message("SchemaRequest")
SchemaInfo = _message("SchemaInfo")
FetchRequest = _message("FetchRequest")
FetchResponse = _message("FetchResponse")
