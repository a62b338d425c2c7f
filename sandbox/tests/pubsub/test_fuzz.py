"""Whatever a client sends, it gets an answer or a refusal that the service means."""

from __future__ import annotations

from typing import Any

import grpc
from hypothesis import HealthCheck, given, settings, strategies as st
from sweo_sandbox.pubsub import messages

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TOPICS = st.sampled_from(["/data/ChangeEvents", "/data/AccountChangeEvent", "/data/", ""])
REQUESTS = st.builds(
    messages.FetchRequest,
    topic_name=TOPICS | st.text(max_size=20),
    replay_preset=st.integers(0, 4),
    replay_id=st.binary(max_size=12),
    num_requested=st.sampled_from([-(2**31), -1, 0, 1, 100, 2**31 - 1]),
)
METADATA = st.lists(
    st.tuples(
        st.sampled_from(["accesstoken", "instanceurl", "tenantid", "other"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    ),
    max_size=4,
)


def meant(call: Any) -> None:
    try:
        next(call, None)
    except grpc.RpcError as error:
        # UNKNOWN is what gRPC makes of an exception that nobody foresaw.
        assert error.code() not in (  # noqa: PT017
            grpc.StatusCode.UNKNOWN,
            grpc.StatusCode.DEADLINE_EXCEEDED,
        ), error.details()
    finally:
        call.cancel()


@SETTINGS
@given(requests=st.lists(REQUESTS, min_size=1, max_size=3))
def test_any_requests(pubsub: Any, requests: list[Any]):
    pubsub.org.insert("Account", {"Name": "Acme"})
    meant(pubsub.subscribe_call(iter(requests), metadata=pubsub.metadata, timeout=10))


@SETTINGS
@given(frame=st.binary(max_size=60))
def test_any_frames(pubsub: Any, frame: bytes):
    call = pubsub.channel.stream_stream(f"/{messages.SERVICE}/Subscribe")
    meant(call(iter([frame]), metadata=pubsub.metadata, timeout=10))


@SETTINGS
@given(metadata=METADATA)
def test_any_metadata(pubsub: Any, metadata: list[tuple[str, str]]):
    request = messages.FetchRequest(topic_name="/data/ChangeEvents", num_requested=1)
    call = pubsub.subscribe_call(iter([request]), metadata=tuple(metadata), timeout=10)
    meant(call)
    assert call.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.CANCELLED)
