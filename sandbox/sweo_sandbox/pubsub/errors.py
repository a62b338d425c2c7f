"""The Pub/Sub API's refusals: gRPC status, the vendor's error code and words.

The words marked "own" below are not the vendor's: no published message could be found.
"""

from __future__ import annotations

from typing import NoReturn

import grpc  # type: ignore[import-untyped]

_PREFIX = "sfdc.platform.eventbus.grpc."


class PubSubError(Exception):
    """A call that is refused; ``code`` goes into the trailer ``error-code`` behind the prefix."""

    def __init__(self, status: grpc.StatusCode, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def abort(self, context: grpc.ServicerContext, rpc_id: str) -> NoReturn:
        """End the call with this refusal."""
        context.set_trailing_metadata((("error-code", _PREFIX + self.code), ("rpc-id", rpc_id)))
        context.abort(self.status, f"{self.message} rpcId: {rpc_id}")
        raise AssertionError  # abort has raised


def unauthenticated(code: str = "service.auth.error") -> PubSubError:
    """The metadata name no session of this org."""
    return PubSubError(
        grpc.StatusCode.UNAUTHENTICATED,
        code,
        "An authentication exception occurred. Provide valid authentication via metadata headers.",
    )


def topic_not_found(tenant: str, topic: str) -> PubSubError:
    """There is no such topic, or the object's change events are switched off."""
    return PubSubError(
        grpc.StatusCode.NOT_FOUND,
        "topic.not.found",
        f"The topic information for org {tenant} and topic {topic} not found. Ensure the topic "
        "name is correct and that the topic exists.",
    )


def replay_id_refused(code: str = "subscription.fetch.replayid.corrupted") -> PubSubError:
    """The replay id was never given out, or its event is older than 72 hours."""
    return PubSubError(
        grpc.StatusCode.INVALID_ARGUMENT,
        code,
        "The Replay ID validation failed. Ensure that the Replay ID is valid.",
    )


def topic_empty() -> PubSubError:
    """The topic name is blank (own words)."""
    return _invalid("topic.validation.empty", "The topic name can't be blank.")


def topic_mismatch() -> PubSubError:
    """A later request of the stream names another topic (own words)."""
    return _invalid(
        "subscription.fetch.topic.mismatch",
        "The topic name must be the same in all fetch requests of a subscription.",
    )


def nothing_requested() -> PubSubError:
    """``num_requested`` is below one (own words)."""
    return _invalid(
        "subscription.fetch.requested.events.invalid",
        "The number of requested events must be greater than zero.",
    )


def schema_id_empty() -> PubSubError:
    """The schema id is blank (own words)."""
    return _invalid("schema.validation.failed", "The schema ID can't be blank.")


def schema_not_found(schema_id: str) -> PubSubError:
    """No event was ever written with such a schema (own words; the status is a guess)."""
    return PubSubError(
        grpc.StatusCode.NOT_FOUND,
        "schema.meta.permission",
        f"The schema {schema_id} could not be found. Ensure that the schema ID is correct.",
    )


def _invalid(code: str, message: str) -> PubSubError:
    return PubSubError(grpc.StatusCode.INVALID_ARGUMENT, code, message)
