"""Topics: ``/data/AccountChangeEvent`` for one object, ``/data/ChangeEvents`` for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import errors
from .event_schema import EventSchema, event_name, event_schema
from .journal import ChangeEvent, ChangeJournal, has_events
from .payload import PayloadWriter

if TYPE_CHECKING:
    from ..salesforce.org import Org
    from ..salesforce.schema import SObjectType

_ALL = "/data/ChangeEvents"


@dataclass(frozen=True, slots=True)
class Topic:
    """``sobject`` is None for the channel of all change events, which has no schema of its own."""

    name: str
    sobject: str | None


class TopicCatalog:
    """The org's topics and the schemas of their events."""

    def __init__(self, org: Org, journal: ChangeJournal) -> None:
        self._org = org
        self._journal = journal
        self._writers: dict[tuple[str, ...], PayloadWriter] = {}

    @property
    def tenant(self) -> str:
        """The org as messages and topics name it."""
        return f"CORE/prod/{self._org.organization_id}"

    def topic(self, name: str, user_id: str) -> Topic:
        """The topic of that name.

        Raises:
            PubSubError: the name is blank, or there is no such topic that the user may read.
        """
        if not name.strip():
            raise errors.topic_empty()
        if name == _ALL:
            return Topic(name, None)
        for sobject in list(self._org.schema.sobjects.values()):
            named = has_events(sobject) and name == f"/data/{event_name(sobject)}"
            if named and self.is_open(sobject.name, user_id):
                return Topic(name, sobject.name)
        raise errors.topic_not_found(self.tenant, name)

    def is_open(self, sobject_name: str, user_id: str) -> bool:
        """Whether a user may read the records, and so the events, of an object."""
        return self._org.security.may(user_id, sobject_name, "read")

    def schema_of(self, sobject_name: str) -> EventSchema:
        """The schema that an object's events are written with now."""
        return self._writer(sobject_name).schema

    def payload(self, event: ChangeEvent, user_id: str) -> tuple[str, bytes]:
        """The schema's id and the Avro bytes of an event as a user sees it."""
        writer = self._writer(event.sobject)
        return writer.schema.id, writer.write(event, self._org.security.visible(user_id))

    def _writer(self, sobject_name: str) -> PayloadWriter:
        sobject: SObjectType = self._org.schema.sobjects[sobject_name.lower()]
        key = (sobject_name, *list(sobject.fields))
        writer = self._writers.get(key)
        if writer is None:
            writer = self._writers[key] = PayloadWriter(event_schema(sobject))
        if self._journal.schema_text(writer.schema.id) is None:
            self._journal.remember_schema(writer.schema.id, writer.schema.text)
        return writer
