"""GetTopic, GetSchema, and who may call at all."""

from __future__ import annotations

from typing import Any

import fastavro
import grpc
import pytest
from sweo_sandbox.pubsub import messages


def test_a_topic_and_its_schema(pubsub: Any):
    topic = pubsub.topic("/data/ContactChangeEvent")
    assert (topic.topic_name, topic.can_subscribe) == ("/data/ContactChangeEvent", True)
    assert topic.tenant_guid == f"CORE/prod/{pubsub.org.organization_id}"
    assert not topic.can_publish
    schema = pubsub.schema(topic.schema_id)
    assert (schema["name"], schema["namespace"]) == ("ContactChangeEvent", "com.sforce.eventbus")
    fields = {field["name"]: field for field in schema["fields"]}
    assert next(iter(fields)) == "ChangeEventHeader"
    assert fields["Email"]["type"] == ["null", "string"]
    assert fields["Last_Login__c"]["type"] == ["null", "long"]
    assert fields["Name"]["type"][1]["name"] == "PersonName"
    assert [part["name"] for part in fields["Name"]["type"][1]["fields"]][:3] == [
        "Salutation",
        "FirstName",
        "LastName",
    ]
    # The second address refers to the first one's definition.
    assert fields["MailingAddress"]["type"] == ["null", "Address"]
    # Neither formulas nor what the org stamps by itself.
    left_out = {"Id", "FirstName", "SystemModstamp", "IsDeleted", "Account_Customer_Number__c"}
    assert not left_out & set(fields)


def test_the_channel_of_all_has_no_schema_of_its_own(pubsub: Any):
    assert pubsub.topic("/data/ChangeEvents").schema_id == ""


def test_every_object_with_events_has_a_valid_schema(pubsub: Any):
    names = {"Account", "Contact", "Lead", "Opportunity", "Case", "Task", "Event", "User"}
    for name in names | {"Campaign", "CampaignMember"}:
        topic = pubsub.topic(f"/data/{name}ChangeEvent")
        fastavro.parse_schema(pubsub.schema(topic.schema_id))


def test_a_new_field_makes_a_new_schema_and_the_old_one_stays_known(pubsub: Any):
    pubsub.org.insert("Account", {"Name": "before"})
    old = pubsub.topic("/data/AccountChangeEvent").schema_id
    field = {"FullName": "Account.Tier__c", "Metadata": {"label": "Tier", "type": "Text"}}
    field["Metadata"]["length"] = 10
    pubsub.rest("POST", "/tooling/sobjects/CustomField", field)
    new = pubsub.topic("/data/AccountChangeEvent").schema_id
    assert new != old
    assert "Tier__c" in {each["name"] for each in pubsub.schema(new)["fields"]}
    assert "Tier__c" not in {each["name"] for each in pubsub.schema(old)["fields"]}


def test_a_custom_object_has_a_topic(pubsub: Any):
    made = {
        "FullName": "Project__c",
        "Metadata": {
            "label": "Project",
            "pluralLabel": "Projects",
            "nameField": {"type": "Text", "label": "Name"},
            "deploymentStatus": "Deployed",
            "sharingModel": "ReadWrite",
        },
    }
    pubsub.rest("POST", "/tooling/sobjects/CustomObject", made)
    assert pubsub.topic("/data/Project__ChangeEvent").schema_id
    project = pubsub.org.insert("Project__c", {"Name": "Moon"})
    [event] = pubsub.kept()
    assert event.header["entityName"] == "Project__c"
    assert event.header["recordIds"] == [project]
    assert event.body["Name"] == "Moon"


@pytest.mark.parametrize(
    "name", ["/data/NothingChangeEvent", "/data/ProfileChangeEvent", "/event/Ink__e", "Account"]
)
def test_an_unknown_topic(pubsub: Any, name: str):
    words = (
        f"The topic information for org CORE/prod/{pubsub.org.organization_id} and topic {name} "
        "not found. Ensure the topic name is correct and that the topic exists."
    )
    wanted = ("NOT_FOUND", "topic.not.found", words)
    assert pubsub.refusal(lambda: pubsub.topic(name)) == wanted
    assert pubsub.refusal(pubsub.opened(topic=name).answer) == wanted


def test_blank_names(pubsub: Any):
    status, code, _ = pubsub.refusal(lambda: pubsub.topic(""))
    assert (status, code) == ("INVALID_ARGUMENT", "topic.validation.empty")
    status, code, _ = pubsub.refusal(lambda: pubsub.schema(""))
    assert (status, code) == ("INVALID_ARGUMENT", "schema.validation.failed")
    assert pubsub.refusal(lambda: pubsub.schema("nothing"))[0] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("accesstoken", None, "service.auth.headers.invalid"),
        ("accesstoken", "", "service.auth.headers.invalid"),
        ("accesstoken", "00D!wrong", "service.auth.error"),
        ("instanceurl", None, "service.auth.headers.invalid"),
        ("instanceurl", "https://localhost:1", "service.auth.error"),
        ("instanceurl", "https://elsewhere.example", "service.auth.error"),
        ("instanceurl", "https://[", "service.auth.error"),
        ("instanceurl", "localhost", "service.auth.error"),
        ("tenantid", None, "service.auth.headers.invalid"),
        ("tenantid", "00D000000000000AAA", "service.auth.error"),
    ],
)
def test_metadata_that_name_no_session(pubsub: Any, header: str, value: str | None, code: str):
    given = {**dict(pubsub.metadata), header: value}
    metadata = tuple((name, text) for name, text in given.items() if text is not None)
    wanted = (
        "UNAUTHENTICATED",
        code,
        "An authentication exception occurred. Provide valid authentication via metadata headers.",
    )
    assert pubsub.refusal(lambda: pubsub.topic("/data/ChangeEvents", metadata)) == wanted
    stream = pubsub.stream(metadata)
    stream.ask()
    assert pubsub.refusal(stream.answer) == wanted


def test_tenant_and_instance_in_their_other_forms(pubsub: Any):
    organization_id = pubsub.org.organization_id
    port = pubsub.sandbox.salesforce_url.rpartition(":")[2]
    for name, value in (
        ("tenantid", organization_id[:15]),
        ("tenantid", f"core/prod/{organization_id}"),
        ("instanceurl", f"https://127.0.0.1:{port}"),
        ("instanceurl", "https://acme.my.salesforce.com"),
    ):
        metadata = tuple({**dict(pubsub.metadata), name: value}.items())
        assert pubsub.topic("/data/ChangeEvents", metadata).can_subscribe


@pytest.mark.parametrize("name", ["Publish", "PublishStream", "ManagedSubscribe"])
def test_what_is_not_here_says_so(pubsub: Any, name: str):
    call = pubsub.channel.unary_unary(f"/{messages.SERVICE}/{name}")
    with pytest.raises(grpc.RpcError) as met:
        call(b"", metadata=pubsub.metadata, timeout=10)
    assert met.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_frame_that_is_no_message(pubsub: Any):
    call = pubsub.channel.unary_unary(f"/{messages.SERVICE}/GetTopic")
    with pytest.raises(grpc.RpcError) as met:
        call(b"\xff\xff\xff", metadata=pubsub.metadata, timeout=10)
    assert met.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
    assert pubsub.topic("/data/ChangeEvents").can_subscribe
