from __future__ import annotations

import io
import json
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import fastavro
import grpc
import pytest
import requests
from sweo_sandbox.pubsub import messages
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.testing import Sandbox, running_sandbox

DATA = "/services/data/v62.0"
ALL = "/data/ChangeEvents"
LATEST, EARLIEST, CUSTOM = 0, 1, 2
Metadata = tuple[tuple[str, str], ...]


@dataclass
class Event:
    replay_id: bytes
    header: dict[str, Any]
    body: dict[str, Any]
    schema: dict[str, Any]

    def names(self, which: str) -> set[str]:
        """The fields that a bitmap of the header names, nested ones as ``Parent.Part``."""
        return names_of(self.header[which], self.schema)

    @property
    def told(self) -> dict[str, Any]:
        return {name: value for name, value in self.body.items() if value is not None}


def names_of(bitmaps: list[str], schema: dict[str, Any]) -> set[str]:
    """Read as the vendor's own examples read them: hex, reversed bits, positions in the schema."""

    def ones(bitmap: str) -> list[int]:
        digits = bitmap.removeprefix("0x")
        assert len(digits) % 2 == 0
        bits = f"{int(digits, 16):0{len(digits) * 4}b}"[::-1]
        return [index for index, bit in enumerate(bits) if bit == "1"]

    records = {
        kind["name"]: kind
        for field in schema["fields"]
        if isinstance(field["type"], list)
        for kind in field["type"]
        if isinstance(kind, dict)
    }
    found = set()
    for bitmap in bitmaps:
        parent, dash, nested = bitmap.partition("-")
        if not dash:
            found |= {schema["fields"][index]["name"] for index in ones(bitmap)}
            continue
        field = schema["fields"][int(parent)]
        kind = field["type"][-1]
        record = records[kind] if isinstance(kind, str) else kind
        found |= {f"{field['name']}.{record['fields'][index]['name']}" for index in ones(nested)}
    return found


class Stream:
    """One Subscribe call; requests are sent as the test says."""

    def __init__(self, client: PubSub, metadata: Metadata) -> None:
        self._client = client
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        call = client.subscribe_call(iter(self._requests.get, None), metadata=metadata)
        self.call = call

    def ask(
        self, count: int = 100, topic: str = ALL, preset: int = LATEST, at: bytes = b""
    ) -> None:
        request = messages.FetchRequest(
            topic_name=topic, num_requested=count, replay_preset=preset, replay_id=at
        )
        self._requests.put(request)

    def answer(self) -> Any:
        return next(self.call)

    def events(self, count: int) -> list[Event]:
        found: list[Event] = []
        while len(found) < count:
            found += self._client.decoded(self.answer())
        return found

    def close(self) -> None:
        self._requests.put(None)
        self.call.cancel()


class PubSub:
    """A client made of nothing but gRPC and the messages."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        with open(sandbox.ca_bundle, "rb") as bundle:
            credentials = grpc.ssl_channel_credentials(bundle.read())
        port = sandbox.env()["SALESFORCE_PUBSUB_PORT"]
        self.channel = grpc.secure_channel(f"localhost:{port}", credentials)
        self.subscribe_call = self._method(
            self.channel.stream_stream, "Subscribe", "FetchRequest", "FetchResponse"
        )
        self._get_topic = self._method(
            self.channel.unary_unary, "GetTopic", "TopicRequest", "TopicInfo"
        )
        self._get_schema = self._method(
            self.channel.unary_unary, "GetSchema", "SchemaRequest", "SchemaInfo"
        )
        self._streams: list[Stream] = []

    @property
    def org(self) -> Org:
        return self.sandbox.org

    @property
    def metadata(self) -> Metadata:
        env = self.sandbox.env()
        return (
            ("accesstoken", env["SALESFORCE_ACCESS_TOKEN"]),
            ("instanceurl", env["SALESFORCE_INSTANCE_URL"]),
            ("tenantid", self.org.organization_id),
        )

    @staticmethod
    def _method(kind: Callable[..., Any], name: str, request: str, answer: str) -> Any:
        return kind(
            f"/{messages.SERVICE}/{name}",
            getattr(messages, request).SerializeToString,
            getattr(messages, answer).FromString,
        )

    def topic(self, name: str, metadata: Metadata | None = None) -> Any:
        request = messages.TopicRequest(topic_name=name)
        return self._get_topic(request, metadata=metadata or self.metadata, timeout=10)

    def schema(self, schema_id: str) -> dict[str, Any]:
        request = messages.SchemaRequest(schema_id=schema_id)
        return json.loads(self._get_schema(request, metadata=self.metadata, timeout=10).schema_json)

    def stream(self, metadata: Metadata | None = None) -> Stream:
        made = Stream(self, metadata or self.metadata)
        self._streams.append(made)
        return made

    def opened(self, **first: Any) -> Stream:
        """A stream that has asked; LATEST has been fixed when this returns."""
        stream = self.stream()
        stream.ask(**first)
        stream.call.initial_metadata()
        return stream

    def kept(self, topic: str = ALL) -> list[Event]:
        """Every event that a topic keeps, up to one made now."""
        end = self.org.insert("Campaign", {"Name": "the end"})
        stream = self.opened(topic=ALL, preset=EARLIEST)
        found: list[Event] = []
        while not found or found[-1].header["recordIds"] != [end]:
            answer = stream.answer()
            found += self.decoded(answer)
            stream.ask()
        stream.close()
        entity = None if topic == ALL else topic.removeprefix("/data/").removesuffix("ChangeEvent")
        return [each for each in found[:-1] if entity in (None, each.header["entityName"])]

    def decoded(self, answer: Any) -> list[Event]:
        found = []
        for each in answer.events:
            schema = self.schema(each.event.schema_id)
            body = fastavro.schemaless_reader(
                io.BytesIO(each.event.payload), fastavro.parse_schema(schema)
            )
            found.append(Event(each.replay_id, body.pop("ChangeEventHeader"), body, schema))
        return found

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        data = {"data": body} if isinstance(body, str) else {"json": body}
        return self._call(method, DATA + path, headers, data)

    def desk(self, order: str, **arguments: Any) -> None:
        """An order of the control desk, given as a person would."""
        self._call("POST", f"/_sandbox/org/{order}", {}, {"json": arguments})

    def _call(
        self, method: str, path: str, headers: dict[str, str], data: dict[str, Any]
    ) -> requests.Response:
        env = self.sandbox.env()
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method,
                f"{self.sandbox.salesforce_url}{path}",
                **data,
                headers={"Authorization": f"Bearer {env['SALESFORCE_ACCESS_TOKEN']}", **headers},
                verify=self.sandbox.ca_bundle,
                timeout=30,
            )
        assert answer.ok, answer.text
        return answer

    @staticmethod
    def refusal(call: Callable[[], Any]) -> tuple[str, str, str]:
        """Status, vendor's code and words of the refusal that a call meets."""
        with pytest.raises(grpc.RpcError) as met:
            call()
        error: Any = met.value
        trailers = dict(error.trailing_metadata())
        words, _, rpc_id = error.details().rpartition(" rpcId: ")
        assert trailers["rpc-id"] == rpc_id
        code = trailers["error-code"].removeprefix("sfdc.platform.eventbus.grpc.")
        return error.code().name, code, words

    def settle(self) -> None:
        for stream in self._streams:
            stream.close()
        self._streams.clear()


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with running_sandbox(
        pubsub=True, pubsub_keepalive_seconds=1.5, pubsub_idle_seconds=1.0
    ) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def connected(running: Sandbox) -> Iterator[PubSub]:
    client = PubSub(running)
    yield client
    client.channel.close()


@pytest.fixture
def pubsub(running: Sandbox, connected: PubSub) -> Iterator[PubSub]:
    running.reset()
    yield connected
    connected.settle()


@pytest.fixture
def make_client() -> Iterator[Callable[[Sandbox], PubSub]]:
    made: list[PubSub] = []

    def make(sandbox: Sandbox) -> PubSub:
        made.append(PubSub(sandbox))
        return made[-1]

    yield make
    for client in made:
        client.settle()
        client.channel.close()
