"""The Pub/Sub API's calls: GetTopic, GetSchema and Subscribe over gRPC with TLS.

LIMITATIONS: Publish, PublishStream and ManagedSubscribe are UNIMPLEMENTED; there are no platform
events and no custom channels; the daily delivery allocation is not counted.
"""

from __future__ import annotations

import ipaddress
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]

from . import errors, messages
from .errors import PubSubError
from .journal import ChangeEvent, ChangeJournal
from .subscription import Delivery, StreamTimes, Subscription, replay_id
from .topics import TopicCatalog

if TYPE_CHECKING:
    from ..salesforce.org import Org

_MOST_STREAMS = 200


class PubSubService:
    """Answers for one org."""

    def __init__(self, org: Org, journal: ChangeJournal, times: StreamTimes) -> None:
        self._org = org
        self._journal = journal
        self._times = times
        self._catalog = TopicCatalog(org, journal)

    def handler(self) -> grpc.GenericRpcHandler:
        """The service as a gRPC server takes it."""
        return grpc.method_handlers_generic_handler(
            messages.SERVICE,
            {
                "GetTopic": grpc.unary_unary_rpc_method_handler(
                    self._unary(self._get_topic),
                    messages.TopicRequest.FromString,
                    messages.TopicInfo.SerializeToString,
                ),
                "GetSchema": grpc.unary_unary_rpc_method_handler(
                    self._unary(self._get_schema),
                    messages.SchemaRequest.FromString,
                    messages.SchemaInfo.SerializeToString,
                ),
                "Subscribe": grpc.stream_stream_rpc_method_handler(
                    self._subscribe,
                    messages.FetchRequest.FromString,
                    messages.FetchResponse.SerializeToString,
                ),
            },
        )

    def _unary(
        self, answer: Callable[[Any, str, str], Any]
    ) -> Callable[[Any, grpc.ServicerContext], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            rpc_id = str(uuid.uuid4())
            try:
                return answer(request, self._user(context), rpc_id)
            except PubSubError as error:
                error.abort(context, rpc_id)

        return call

    def _get_topic(self, request: Any, user_id: str, rpc_id: str) -> Any:
        topic = self._catalog.topic(request.topic_name, user_id)
        return messages.TopicInfo(
            topic_name=topic.name,
            tenant_guid=self._catalog.tenant,
            can_publish=False,
            can_subscribe=True,
            schema_id=self._catalog.schema_of(topic.sobject).id if topic.sobject else "",
            rpc_id=rpc_id,
        )

    def _get_schema(self, request: Any, _user_id: str, rpc_id: str) -> Any:
        if not request.schema_id.strip():
            raise errors.schema_id_empty()
        text = self._journal.schema_text(request.schema_id)
        if text is None:
            raise errors.schema_not_found(request.schema_id)
        return messages.SchemaInfo(schema_json=text, schema_id=request.schema_id, rpc_id=rpc_id)

    def _subscribe(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        rpc_id = str(uuid.uuid4())
        try:
            user_id = self._user(context)
            first = next(requests, None)
            if first is None:
                return
            topic = self._catalog.topic(first.topic_name, user_id)
            subscription = Subscription(self._journal, topic, first, self._times)
            if not context.add_callback(subscription.stir):
                return
            # Tells the client that its place is fixed: what is written from now on will come.
            context.send_initial_metadata(())
            subscription.listen(requests, context.is_active)
            due = subscription.deliveries(lambda: self._user(context), context.is_active)
            for delivery in due:
                yield self._response(delivery, user_id, rpc_id)
        except sqlite3.ProgrammingError:
            # The org was closed under a stream that its server has just cut.
            if context.is_active():
                raise
        except PubSubError as error:
            error.abort(context, rpc_id)

    def _response(self, delivery: Delivery, user_id: str, rpc_id: str) -> Any:
        return messages.FetchResponse(
            events=[
                self._consumer_event(event, user_id)
                for event in delivery.events
                if self._catalog.is_open(event.sobject, user_id)
            ],
            latest_replay_id=replay_id(delivery.position),
            rpc_id=rpc_id,
            pending_num_requested=delivery.pending,
        )

    def _consumer_event(self, event: ChangeEvent, user_id: str) -> dict[str, Any]:
        schema_id, payload = self._catalog.payload(event, user_id)
        name = f"{event.transaction_key}/{event.sequence}"
        return {
            "event": {
                "id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
                "schema_id": schema_id,
                "payload": payload,
            },
            "replay_id": replay_id(event.position),
        }

    def _user(self, context: grpc.ServicerContext) -> str:
        """Whose session the call's metadata name.

        Raises:
            PubSubError: a header is missing or wrong, or the session has ended.
        """
        given = {str(key): value for key, value in context.invocation_metadata()}
        token, instance, tenant = (
            str(given.get(name, "")).strip() for name in ("accesstoken", "instanceurl", "tenantid")
        )
        if not (token and instance and tenant):
            raise errors.unauthenticated("service.auth.headers.invalid")
        # The id may stand behind the name of the core instance: "core/prod/00D…".
        organization_id = tenant.rpartition("/")[2]
        if organization_id not in (self._org.organization_id, self._org.organization_id[:15]):
            raise errors.unauthenticated()
        if not self._is_here(instance):
            raise errors.unauthenticated()
        user_id = self._org.sessions.user_of(token)
        if user_id is None:
            raise errors.unauthenticated()
        return user_id

    def _is_here(self, instance_url: str) -> bool:
        try:
            given = urlsplit(instance_url)
            host, port = given.hostname or "", given.port
        except ValueError:
            return False
        if given.scheme not in ("https", "http") or not host:
            return False
        own = urlsplit(self._org.settings.instance_url or "")
        if _is_loopback(host):
            return own.port in (None, port)
        return host == own.hostname or host.endswith(".salesforce.com")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(service: PubSubService, port: int, key_pem: bytes, chain_pem: bytes) -> grpc.Server:
    """Serve on a loopback port with TLS; stop the server with its own ``stop``.

    Raises:
        RuntimeError: the port is taken.
    """
    server = grpc.server(
        ThreadPoolExecutor(_MOST_STREAMS, thread_name_prefix="pubsub"),
        handlers=[service.handler()],
        # Past this number of calls a client gets RESOURCE_EXHAUSTED instead of a silent wait.
        maximum_concurrent_rpcs=_MOST_STREAMS,
    )
    credentials = grpc.ssl_server_credentials([(key_pem, chain_pem)])
    server.add_secure_port(f"127.0.0.1:{port}", credentials)
    server.start()
    return server
