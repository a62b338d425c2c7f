"""The port itself: what it costs, who reaches it, what outlives a restart."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from sweo_sandbox.pubsub import messages
from sweo_sandbox.testing import running_sandbox

ASK_FOR_A_TOPIC = """
import os, sys, grpc
from sweo_sandbox.pubsub import messages
with open(os.environ["SSL_CERT_FILE"], "rb") as roots:
    channel = grpc.secure_channel(sys.argv[1], grpc.ssl_channel_credentials(roots.read()))
call = channel.unary_unary(
    "/eventbus.v1.PubSub/GetTopic",
    messages.TopicRequest.SerializeToString,
    messages.TopicInfo.FromString,
)
metadata = (
    ("accesstoken", os.environ["SALESFORCE_ACCESS_TOKEN"]),
    ("instanceurl", os.environ["SALESFORCE_INSTANCE_URL"]),
    ("tenantid", sys.argv[2]),
)
topic = messages.TopicRequest(topic_name="/data/AccountChangeEvent")
print(call(topic, metadata=metadata, timeout=20).topic_name)
"""
WITHOUT_GRPC = """
import sys
from sweo_sandbox.testing import running_sandbox
with running_sandbox() as sandbox:
    assert "SALESFORCE_PUBSUB_PORT" not in sandbox.env()
    assert sandbox.org.store.observer is None
loaded = {name.partition(".")[0] for name in sys.modules} & {"grpc", "fastavro"}
assert not loaded, loaded
"""


def ask(env: dict[str, str], target: str, organization_id: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", ASK_FOR_A_TOPIC, target, organization_id],
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("target", ["api.pubsub.salesforce.com:7443", "localhost:{port}"])
def test_a_client_with_its_host_built_in_comes_through_the_proxy(pubsub: Any, target: str):
    env = pubsub.sandbox.env()
    proxy = pubsub.sandbox.salesforce_url.replace("https://", "http://")
    named = target.format(port=env["SALESFORCE_PUBSUB_PORT"])
    answer = ask({**env, "https_proxy": proxy}, named, pubsub.org.organization_id)
    assert answer == "/data/AccountChangeEvent"


def test_without_pubsub_nothing_of_it_is_loaded_or_recorded():
    subprocess.run([sys.executable, "-c", WITHOUT_GRPC], check=True, timeout=60)


def test_a_taken_port_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"), running_sandbox(pubsub=True, pubsub_port=port):
            pass


def test_the_port_of_another_sandbox_is_refused(pubsub: Any):
    port = int(pubsub.sandbox.env()["SALESFORCE_PUBSUB_PORT"])
    with pytest.raises(OSError, match="in use"), running_sandbox(pubsub=True, pubsub_port=port):
        pass


def test_plain_text_is_no_way_in(pubsub: Any):
    port = pubsub.sandbox.env()["SALESFORCE_PUBSUB_PORT"]
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        call = channel.unary_unary(f"/{messages.SERVICE}/GetTopic")
        with pytest.raises(grpc.RpcError) as met:
            call(b"", metadata=pubsub.metadata, timeout=5)
        assert met.value.code() is grpc.StatusCode.UNAVAILABLE


def test_events_outlive_a_restart(tmp_path: Path, make_client: Any):
    with running_sandbox(tmp_path, pubsub=True) as sandbox:
        client = make_client(sandbox)
        first = sandbox.org.insert("Account", {"Name": "first"})
        [event] = client.kept()
        assert event.header["recordIds"] == [first]
    with running_sandbox(tmp_path, pubsub=True) as sandbox:
        client = make_client(sandbox)
        second = sandbox.org.insert("Account", {"Name": "second"})
        stream = client.opened(preset=2, at=event.replay_id, topic="/data/AccountChangeEvent")
        [after] = stream.events(1)
        assert after.header["recordIds"] == [second]
        assert after.header["transactionKey"] != event.header["transactionKey"]
        assert client.schema(client.topic("/data/AccountChangeEvent").schema_id) == event.schema


def test_closing_under_an_open_stream_is_quick_and_quiet(make_client: Any, capfd: Any):
    with running_sandbox(pubsub=True) as sandbox:
        client = make_client(sandbox)
        stream = client.opened()
    with pytest.raises(grpc.RpcError) as met:
        stream.answer()
    assert met.value.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)
    assert "Traceback" not in capfd.readouterr().err
