"""Subscribe: where a stream starts, how much it sends, when it ends."""

from __future__ import annotations

import time
from typing import Any

import grpc
import pytest
from sweo_sandbox.clock import Clock
from sweo_sandbox.pubsub.journal import ChangeJournal
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.salesforce.settings import OrgSettings

ALL, ACCOUNTS = "/data/ChangeEvents", "/data/AccountChangeEvent"
EARLIEST, CUSTOM = 1, 2
CORRUPTED = (
    "INVALID_ARGUMENT",
    "subscription.fetch.replayid.corrupted",
    "The Replay ID validation failed. Ensure that the Replay ID is valid.",
)
HOUR = 3600


def accounts(pubsub: Any, count: int, first: int = 0) -> list[str]:
    return [pubsub.org.insert("Account", {"Name": f"a{first + i}"}) for i in range(count)]


def ids(events: list[Any]) -> list[str]:
    return [record_id for event in events for record_id in event.header["recordIds"]]


def test_latest_tells_what_happens_from_now_on(pubsub: Any):
    accounts(pubsub, 2)
    stream = pubsub.opened(topic=ACCOUNTS)
    made = accounts(pubsub, 3, first=2)
    assert ids(stream.events(3)) == made


def test_an_event_arrives_at_once(pubsub: Any):
    stream = pubsub.opened()
    began = time.monotonic()
    for index in range(8):
        accounts(pubsub, 1, first=index)
        stream.events(1)
    assert time.monotonic() - began < 4


def test_earliest_tells_everything_kept_of_its_object_only(pubsub: Any):
    made = accounts(pubsub, 2)
    pubsub.org.insert("Contact", {"LastName": "A"})
    made += accounts(pubsub, 1, first=2)
    assert ids(pubsub.opened(topic=ACCOUNTS, preset=EARLIEST).events(3)) == made


def test_custom_goes_on_behind_the_event_it_names(pubsub: Any):
    made = accounts(pubsub, 5)
    events = pubsub.opened(preset=EARLIEST).events(5)
    assert len({event.replay_id for event in events}) == 5
    for at, expected in ((events[1].replay_id, made[2:]), (events[3].replay_id[:8], made[4:])):
        assert ids(pubsub.opened(preset=CUSTOM, at=at).events(len(expected))) == expected


@pytest.mark.parametrize(
    "at",
    [b"1", b"25243248", b"\xff" * 8, (10_000).to_bytes(8, "big"), b"\0" * 9, b"\0" * 7 + b"\1x1"],
)
def test_replay_ids_that_were_never_given(pubsub: Any, at: bytes):
    accounts(pubsub, 2)
    assert pubsub.refusal(pubsub.opened(preset=CUSTOM, at=at).answer) == CORRUPTED


def test_custom_without_a_replay_id(pubsub: Any):
    refused = pubsub.refusal(pubsub.opened(preset=CUSTOM).answer)
    assert refused[:2] == ("INVALID_ARGUMENT", "subscription.fetch.replayid.validation.failed")


def test_events_are_kept_for_72_hours(pubsub: Any):
    accounts(pubsub, 1)
    old = pubsub.opened(preset=EARLIEST).events(1)[0].replay_id
    pubsub.sandbox.advance(71 * HOUR)
    young = accounts(pubsub, 1, first=1)
    assert ids(pubsub.opened(preset=CUSTOM, at=old).events(1)) == young
    pubsub.sandbox.advance(2 * HOUR)
    assert pubsub.refusal(pubsub.opened(preset=CUSTOM, at=old).answer) == CORRUPTED
    assert ids(pubsub.opened(preset=EARLIEST).events(1)) == young
    accounts(pubsub, 1, first=2)
    assert pubsub.refusal(pubsub.opened(preset=CUSTOM, at=old).answer) == CORRUPTED


def test_the_position_of_a_keepalive_stays_young_on_a_quiet_bus(pubsub: Any):
    accounts(pubsub, 1)
    pubsub.sandbox.advance(71 * HOUR)
    keepalive = pubsub.opened().answer()
    assert not keepalive.events
    pubsub.sandbox.advance(70 * HOUR)
    made = accounts(pubsub, 1, first=1)
    again = pubsub.opened(preset=CUSTOM, at=keepalive.latest_replay_id)
    assert ids(again.events(1)) == made


def test_no_more_is_sent_than_was_asked_for(pubsub: Any):
    made = accounts(pubsub, 7)
    stream = pubsub.opened(count=3, preset=EARLIEST)
    first = stream.answer()
    assert (len(first.events), first.pending_num_requested) == (3, 0)
    assert first.latest_replay_id == first.events[-1].replay_id
    stream.ask(count=1)
    stream.ask(count=2)
    assert ids(pubsub.decoded(first)) + ids(stream.events(3)) == made[:6]


def test_what_is_asked_for_adds_up_to_100_at_most(pubsub: Any):
    def pending_after_one() -> int:
        accounts(pubsub, 1)
        return stream.answer().pending_num_requested

    stream = pubsub.opened(count=90)
    before = pending_after_one()
    assert before == 89
    for asked in (5, 500):
        stream.ask(count=asked)
        # The request travels beside the events; it shows in one of the next answers.
        for told in range(1, 20):
            pending = pending_after_one()
            if pending != before - told:
                break
        assert pending == min(before - told + 1 + asked, 100) - 1
        before = pending


def test_more_than_100_are_sent_as_the_client_asks_on(pubsub: Any):
    made = accounts(pubsub, 130)
    stream = pubsub.opened(count=1000, preset=EARLIEST)
    first = stream.answer()
    assert (len(first.events), first.pending_num_requested) == (100, 0)
    stream.ask(count=100)
    assert ids(pubsub.decoded(first)) + ids(stream.events(30)) == made


def test_a_quiet_stream_is_kept_alive(pubsub: Any):
    accounts(pubsub, 2)
    last = pubsub.opened(preset=EARLIEST).events(2)[-1].replay_id
    stream = pubsub.opened(count=10)
    for _ in range(2):
        answer = stream.answer()
        assert (len(answer.events), answer.pending_num_requested) == (0, 10)
        assert answer.latest_replay_id == last


def test_a_keepalive_of_one_topic_passes_the_events_of_others(pubsub: Any):
    stream = pubsub.opened(topic=ACCOUNTS)
    pubsub.org.insert("Contact", {"LastName": "A"})
    answer = stream.answer()
    assert not answer.events
    end = pubsub.opened(preset=CUSTOM, at=answer.latest_replay_id)
    made = accounts(pubsub, 1)
    assert ids(end.events(1)) == made


def test_a_stream_with_nothing_asked_for_is_closed(pubsub: Any):
    accounts(pubsub, 1)
    stream = pubsub.opened(count=1, preset=EARLIEST)
    stream.events(1)
    with pytest.raises(StopIteration):
        stream.answer()
    assert stream.call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("count", [0, -1])
def test_asking_for_nothing(pubsub: Any, count: int):
    wanted = ("INVALID_ARGUMENT", "subscription.fetch.requested.events.invalid")
    assert pubsub.refusal(pubsub.opened(count=count).answer)[:2] == wanted
    stream = pubsub.opened(count=5)
    stream.ask(count=count)
    assert pubsub.refusal(stream.answer)[:2] == wanted


def test_one_stream_is_of_one_topic(pubsub: Any):
    stream = pubsub.opened(topic=ACCOUNTS)
    stream.ask(topic=ALL)
    refused = pubsub.refusal(stream.answer)
    assert refused[:2] == ("INVALID_ARGUMENT", "subscription.fetch.topic.mismatch")


def test_later_requests_need_no_topic_and_do_not_move_the_stream(pubsub: Any):
    made = accounts(pubsub, 2)
    stream = pubsub.opened(count=1, preset=EARLIEST)
    first = stream.events(1)
    stream.ask(count=1, topic="", preset=EARLIEST)
    assert ids(first + stream.events(1)) == made


def test_a_session_that_ends_ends_the_stream(pubsub: Any):
    token = pubsub.org.sessions.open(pubsub.org.integration_user_id)
    metadata = tuple({**dict(pubsub.metadata), "accesstoken": token}.items())
    stream = pubsub.stream(metadata)
    stream.ask()
    stream.call.initial_metadata()
    pubsub.org.sessions.end(token)
    status, code, _ = pubsub.refusal(stream.answer)
    assert (status, code) == ("UNAUTHENTICATED", "service.auth.error")


def test_two_streams_get_the_same_events_in_the_same_order(pubsub: Any):
    streams = [pubsub.opened(), pubsub.opened(topic=ACCOUNTS)]
    made = accounts(pubsub, 12)
    told = [[event.replay_id for event in stream.events(12)] for stream in streams]
    assert told[0] == told[1] == sorted(told[0])
    assert len(made) == 12


def test_streams_go_on_over_a_reset(pubsub: Any):
    accounts(pubsub, 3)
    stream = pubsub.opened()
    pubsub.sandbox.reset()
    made = accounts(pubsub, 1)
    assert ids(stream.events(1)) == made


def test_a_stream_that_looks_late_after_a_reset_skips_nothing():
    org = Org(OrgSettings(), None, Clock())
    try:
        journal = ChangeJournal(org)
        for name in "abc":
            org.insert("Account", {"Name": name})
        bus, position = journal.bus, journal.latest_position()
        org.reset()
        made = [org.insert("Account", {"Name": name}) for name in "de"]
        _, _, events = journal.read(bus, position, None, 10)
        assert [each for event in events for each in event.record_ids] == made
    finally:
        org.close()
