"""aiosfpubsub 0.0.6, unchanged, at its own hosts through the proxy and at the sandbox's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from outside.environments import home_of, run
from sweo_sandbox.testing import Sandbox, running_sandbox

PROGRAM = Path(__file__).parent / "programs" / "aiosfpubsub_events.py"
# It declares none of what it imports.
REQUIREMENTS = [
    "aiosfpubsub==0.0.6",
    "avro",
    "certifi",
    "defusedxml",
    "grpcio",
    "httpx",
    "protobuf",
]


def addresses(sandbox: Sandbox, *, built_in: bool) -> dict[str, str]:
    env = sandbox.env()
    if not built_in:
        return {
            "LOGIN_URL": sandbox.salesforce_url,
            "PUBSUB_HOST": env["SALESFORCE_PUBSUB_HOST"],
            "PUBSUB_PORT": env["SALESFORCE_PUBSUB_PORT"],
        }
    proxy = sandbox.salesforce_url.replace("https://", "http://")
    return {
        "LOGIN_URL": "https://login.salesforce.com",
        "PUBSUB_HOST": "api.pubsub.salesforce.com",
        "PUBSUB_PORT": "7443",
        # gRPC reads the small letters only.
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
    }


@pytest.mark.parametrize("built_in", [False, True], ids=["sandbox-hosts", "built-in-hosts"])
def test_a_client_follows_the_changes(*, built_in: bool) -> None:
    home = home_of("aiosfpubsub", REQUIREMENTS)
    python = str(home / "bin" / "python")
    roots = run([python, "-I", "-c", "import certifi; print(certifi.where())"], {}).strip()
    with running_sandbox(pubsub=True, pubsub_keepalive_seconds=2) as sandbox:
        # The client trusts certifi's file and nothing else; the bundle is that and the sandbox's.
        shutil.copyfile(sandbox.ca_bundle, roots)
        org = sandbox.org
        account = org.insert("Account", {"Name": "Acme", "BillingCity": "Graz", "Phone": "1"})
        contact = org.insert("Contact", {"LastName": "A", "AccountId": account})
        org.update("Account", account, {"Phone": None, "Industry": "Energy"})
        org.delete("Contact", contact)
        environment = {**sandbox.env(), **addresses(sandbox, built_in=built_in)}
        facts = json.loads(run([python, "-I", str(PROGRAM)], environment))
    assert facts["topic"] == ["/data/AccountChangeEvent", True, False]
    assert facts["schema"] == ["AccountChangeEvent", "ChangeEventHeader"]
    told = [(e["entityName"], e["changeType"], e["recordIds"]) for e in facts["kept"]]
    assert told == [
        ("Account", "CREATE", [account]),
        ("Contact", "CREATE", [contact]),
        ("Account", "UPDATE", [account]),
        ("Contact", "DELETE", [contact]),
    ]
    assert (facts["name"], facts["city"]) == ("Acme", "Graz")
    assert all(bitmap.startswith("0x") for bitmap in facts["kept"][2]["changedFields"])
    assert facts["kept"][2]["nulledFields"]
    assert facts["resumed"] is True
    assert facts["live"] == [["live", "com/salesforce/api/rest/62.0;client=sweo"]]
    assert facts["keepalives"] is True
    assert facts["bad_replay_id"] == [
        "INVALID_ARGUMENT",
        "The Replay ID validation failed. Ensure that the Replay ID is valid.",
        "sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted",
    ]
    assert facts["bad_token"] == [
        "UNAUTHENTICATED",
        "An authentication exception occurred. Provide valid authentication via metadata headers.",
        "sfdc.platform.eventbus.grpc.service.auth.error",
    ]
