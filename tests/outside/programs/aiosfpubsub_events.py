"""Follows an org's changes through aiosfpubsub: login, topic, schema, subscription, replay."""

import asyncio
import json
import os

import grpc
import httpx
from aiosfpubsub import Client

env = os.environ
facts = {}
CHANNEL = "/data/ChangeEvents"
WANTED = 4


def connected():
    client = Client(
        url=env["LOGIN_URL"],
        username=env["SALESFORCE_USERNAME"],
        password=env["SALESFORCE_PASSWORD"] + env["SALESFORCE_SECURITY_TOKEN"],
        grpc_host=env["PUBSUB_HOST"],
        grpc_port=int(env["PUBSUB_PORT"]),
    )
    client.auth()
    return client


async def follow(client, preset, replay_id, enough, *, on_ready=None):
    """The events that come, decoded, until ``enough`` says so; and how many answers were empty."""
    seen, done, empty = [], asyncio.Event(), [0]

    def callback(response, client):
        empty[0] += not response.events
        if on_ready and not response.events and not facts.get("written"):
            facts["written"] = True
            on_ready()
        for each in response.events:
            schema = client.get_schema_json(each.event.schema_id)
            decoded = client.decode(schema, each.event.payload)
            seen.append((each.replay_id, decoded))
        if enough(seen):
            done.set()

    task = asyncio.create_task(client.subscribe(CHANNEL, preset, replay_id, 10, callback))
    waiter = asyncio.create_task(done.wait())
    await asyncio.wait({task, waiter}, timeout=40, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return seen, empty[0]


async def refused(client, preset, replay_id):
    try:
        await client.subscribe(CHANNEL, preset, replay_id, 10, lambda response, client: None)
    except grpc.aio.AioRpcError as error:
        trailers = dict(error.trailing_metadata())
        return [error.code().name, error.details().partition(" rpcId:")[0], trailers["error-code"]]
    raise AssertionError("nothing was raised where a refusal was due")


async def main():
    client = connected()
    topic = client.get_topic("/data/AccountChangeEvent")
    facts["topic"] = [topic.topic_name, topic.can_subscribe, topic.can_publish]
    schema = json.loads(client.get_schema_json(topic.schema_id))
    facts["schema"] = [schema["name"], schema["fields"][0]["name"]]

    kept, _ = await follow(client, "EARLIEST", b"", lambda seen: len(seen) >= WANTED)
    facts["kept"] = [decoded["ChangeEventHeader"] for _, decoded in kept]
    facts["name"] = kept[0][1]["Name"]
    facts["city"] = kept[0][1]["BillingAddress"]["City"]
    resumed, _ = await follow(client, "CUSTOM", kept[1][0], lambda seen: len(seen) >= WANTED - 2)
    facts["resumed"] = [replay_id for replay_id, _ in resumed] == [each[0] for each in kept[2:]]

    def write():
        made = httpx.post(
            f"https://{client.url}/services/data/v62.0/sobjects/Account",
            json={"Name": "live"},
            headers={
                "Authorization": f"Bearer {client.session_id}",
                "Sforce-Call-Options": "client=sweo",
            },
        )
        made.raise_for_status()

    live, empty = await follow(client, "LATEST", b"", len, on_ready=write)
    facts["live"] = [[e["Name"], e["ChangeEventHeader"]["changeOrigin"]] for _, e in live]
    facts["keepalives"] = empty > 0

    facts["bad_replay_id"] = await refused(client, "CUSTOM", b"25243248")
    client.metadata = (("accesstoken", "wrong"), *client.metadata[1:])
    facts["bad_token"] = await refused(client, "LATEST", b"")


asyncio.run(main())
print(json.dumps(facts))
