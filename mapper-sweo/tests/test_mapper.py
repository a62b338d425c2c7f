from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from crosswalk.errors import FatalError
from hypothesis import given, strategies as st
from mapper_sweo.mapper import MapperSweo

MAPPINGS: list[dict[str, Any]] = [
    {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "Number__c", "sweo": "company_id"},
        "fields": [
            {"salesforce": "Name", "sweo": "name"},
            {"salesforce": "ARR__c", "sweo": "arr", "direction": "both"},
            {"salesforce": "Regions__c", "sweo": "regions", "direction": "both"},
            {"salesforce": "Owner.Email", "sweo": "account_owner"},
            {"salesforce": "Health__c", "sweo": "health", "direction": "to_salesforce"},
        ],
    },
    {
        "name": "contacts",
        "salesforce": "Contact",
        "sweo": "contact",
        "match": [
            {"salesforce": "Sweo_Id__c", "sweo": "external_id"},
            {"salesforce": "Email", "sweo": "email", "normalise": "email"},
        ],
        "parent": {"salesforce": "AccountId", "mapping": "accounts"},
        "fields": [{"salesforce": "LastLogin__c", "sweo": "last_login", "direction": "both"}],
    },
]


def field(name: str, type_name: str, side: str = "salesforce") -> dict[str, Any]:
    return {"x-sweo": {"side": side, "name": name, "type": type_name}}


def schema(stream: str, side: str, types: dict[str, str]) -> dict[str, Any]:
    note = {"mapping": stream, "side": side, "object": "x", "timezone": "Europe/Vienna"}
    properties = {name: field(name, type_name, side) for name, type_name in types.items()}
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties, "x-sweo": note},
        "key_properties": [],
    }


ACCOUNTS = schema(
    "accounts",
    "salesforce",
    {"Name": "string", "ARR__c": "currency", "Regions__c": "multipicklist", "Number__c": "string"},
)
SOURCE = {"id": "001", "modified_at": "2026-01-02T03:04:05Z", "read_at": "2026-01-02T03:04:05Z"}


def record(stream: str, **values: object) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": {**values, "_source": SOURCE}}


def mapper(direction: str = "to-sweo") -> MapperSweo:
    return MapperSweo(config={"direction": direction, "mappings": MAPPINGS})


def lines(*messages: object) -> bytes:
    return b"".join(
        (m if isinstance(m, bytes) else json.dumps(m).encode()) + b"\n" for m in messages
    )


def run(*messages: object, direction: str = "to-sweo") -> list[dict[str, Any]]:
    sink = io.BytesIO()
    mapper(direction).run(io.BytesIO(lines(*messages)), sink)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_record_takes_the_destinations_names_and_canonical_values() -> None:
    told, mapped = run(
        ACCOUNTS,
        record("accounts", Name="Acme", ARR__c=5.0, Regions__c="EMEA;AMER", Number__c=" C-1 "),
    )
    assert told["schema"]["x-sweo"] == ACCOUNTS["schema"]["x-sweo"]
    assert told["key_properties"] == []
    assert list(told["schema"]["properties"]) == [
        "name",
        "arr",
        "regions",
        "_refused",
        "_match",
        "_source",
    ]
    assert told["schema"]["properties"]["arr"] == {
        "type": ["number", "null"],
        "x-sweo": {
            "direction": "both",
            "source": ACCOUNTS["schema"]["properties"]["ARR__c"]["x-sweo"],
        },
    }
    assert mapped == {
        "type": "RECORD",
        "stream": "accounts",
        "record": {
            "name": "Acme",
            "arr": 5,
            "regions": ["AMER", "EMEA"],
            "_match": ["C-1"],
            "_source": SOURCE,
        },
    }
    assert list(mapped["record"])[-1] == "_source"


def test_absent_is_not_empty() -> None:
    mapped = run(ACCOUNTS, record("accounts", Name=None, ARR__c="", Number__c=None))[1]["record"]
    assert mapped == {"name": None, "arr": None, "_match": [None], "_source": SOURCE}
    deleted = run(ACCOUNTS, record("accounts"))[1]["record"]
    assert deleted == {"_source": SOURCE}


def test_a_value_that_cannot_be_parsed_is_named_and_absent() -> None:
    mapped = run(ACCOUNTS, record("accounts", Name=["secret"], ARR__c="secret", Number__c=5.0))[1]
    assert mapped["record"] == {
        "_refused": {
            "name": "the type string takes text",
            "arr": "the type currency takes a number (not a number)",
        },
        "_match": ["5"],
        "_source": SOURCE,
    }


def test_match_and_parent_of_a_contact() -> None:
    contacts = schema(
        "contacts",
        "salesforce",
        {"LastLogin__c": "datetime", "Email": "email", "AccountId": "reference"},
    )
    told, whole, orphan, unread = run(
        contacts,
        record(
            "contacts",
            Email="Ann@X.COM",
            AccountId="001A",
            LastLogin__c="2026-01-02T03:04:05.000+0000",
        ),
        record("contacts", Email="", AccountId=None),
        record("contacts", Email="b@x.com"),
    )
    assert "_parent" in told["schema"]["properties"]
    assert whole["record"] == {
        "last_login": "2026-01-02T03:04:05Z",
        "email": "Ann@X.COM",
        "_parent": {"mapping": "accounts", "source_id": "001A"},
        "_match": [None, "ann@x.com"],
        "_source": SOURCE,
    }
    assert orphan["record"]["_parent"] == {"mapping": "accounts", "source_id": None}
    assert orphan["record"]["_match"] == [None, None]
    assert "_parent" not in unread["record"]


def test_the_other_direction() -> None:
    contacts = schema(
        "contacts", "sweo", {"last_login": "date", "email": "string", "external_id": "string"}
    )
    told, mapped = run(
        contacts,
        record("contacts", last_login=1_767_323_045, email="Ann@x.com", external_id="003"),
        direction="to-salesforce",
    )
    assert list(told["schema"]["properties"]) == [
        "LastLogin__c",
        "Sweo_Id__c",
        "_refused",
        "_match",
        "_source",
    ]
    assert mapped["record"] == {
        "LastLogin__c": "2026-01-02T03:04:05Z",
        "Sweo_Id__c": "003",
        "_match": ["003", "ann@x.com"],
        "_source": SOURCE,
    }


def test_foreign_streams_and_state_pass_through_byte_by_byte() -> None:
    text = lines(
        b'{"type": "SCHEMA", "stream": "w", "schema": {"properties": {}}, "key_properties": ["a"]}',
        b'{"type":"RECORD","stream":"w","record":{"a": 1.50, "b": 12345678901234567890123}}',
        b'{"type": "STATE", "value": {"bookmarks":  {"w": {"x": 1.0}}}}',
    )
    sink = io.BytesIO()
    assert mapper().run(io.BytesIO(text), sink) == 3
    assert sink.getvalue() == text


def test_the_time_of_extraction_is_kept() -> None:
    timed = {**record("accounts", Name="Acme"), "time_extracted": "2026-01-01T00:00:00Z"}
    assert run(ACCOUNTS, timed)[1]["time_extracted"] == "2026-01-01T00:00:00Z"


def test_a_second_schema_replaces_the_first() -> None:
    narrower = schema("accounts", "salesforce", {"Name": "string"})
    mapped = run(
        ACCOUNTS,
        record("accounts", Name="a", ARR__c=1),
        narrower,
        record("accounts", Name="a", ARR__c=1),
    )
    assert "arr" in mapped[1]["record"]
    assert "arr" not in mapped[3]["record"]


def refusal(*messages: object, direction: str = "to-sweo") -> str:
    with pytest.raises(FatalError) as caught:
        run(*messages, direction=direction)
    return str(caught.value)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"type": "RECORD", "stream": "secret"', "not JSON"),
        (b'{"stream": "secret"}', "not a Singer message"),
        (b'["secret"]', "not a Singer message"),
        (b'{"type":"RECORD","stream":"accounts","record":"secret"}', "not a Singer message"),
        (b'{"type":"STATE","value":"secr\xff\xfe"}', "cannot be read"),
        (b'{"type":"SECRET"}', "unknown type"),
        (b'{"type":"SCHEMA","stream":"secret"}', "lacks its stream or its schema"),
        (b'{"type":"RECORD","stream":"accounts"}', "lacks its stream or its record"),
    ],
)
def test_a_broken_line_is_told_by_its_number_and_never_quoted(broken: bytes, reason: str) -> None:
    text = refusal(ACCOUNTS, b"", broken)
    assert "ine 3 of the input" in text
    assert reason in text
    assert "secret" not in text.lower()


def test_what_stands_before_a_broken_line_is_let_out() -> None:
    sink = io.BytesIO()
    with pytest.raises(FatalError):
        mapper().run(io.BytesIO(lines(ACCOUNTS, record("accounts", Name="a"), b"{")), sink)
    assert len(sink.getvalue().splitlines()) == 2


def test_messages_that_are_refused_by_name() -> None:
    for name in ("ACTIVATE_VERSION", "BATCH"):
        assert refusal({"type": name, "stream": "accounts"}).startswith(name)


def test_streams_that_do_not_fit() -> None:
    assert "comes before the SCHEMA of accounts" in refusal(record("accounts", Name="a"))
    assert "direction is to-salesforce" in refusal(ACCOUNTS, direction="to-salesforce")
    assert "the mapping deals" in refusal(schema("deals", "salesforce", {}))
    malformed = {**ACCOUNTS, "schema": {"x-sweo": {"mapping": 5}}}
    assert "malformed" in refusal(malformed)


class Trickle(io.RawIOBase):
    """Gives its bytes in pieces of the given sizes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes = data, sizes

    def read(self, size: int = -1) -> bytes:
        step = self.sizes.pop(0) if self.sizes else len(self.data)
        piece, self.data = self.data[:step], self.data[step:]
        return piece or self.data[:0]


@given(st.lists(st.integers(1, 400), max_size=30))
def test_where_the_pipe_cuts_makes_no_difference(sizes: list[int]) -> None:
    text = lines(ACCOUNTS, *(record("accounts", Name=f"ä{n}") for n in range(5)), b"")[:-1]
    whole, cut = io.BytesIO(), io.BytesIO()
    mapper().run(io.BytesIO(text), whole)
    mapper().run(Trickle(text, sizes), cut)  # type: ignore[arg-type]
    assert cut.getvalue() == whole.getvalue()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("Name", "ARR__c", "Regions__c", "Number__c"), json_values)
    )
)
def test_no_value_ends_the_mapper(values: dict[str, Any]) -> None:
    text = json.dumps(record("accounts", **values))
    if "NaN" in text or "Infinity" in text or "\\ud" in text:
        return  # no JSON
    (_, mapped) = run(ACCOUNTS, text.encode())
    answered = set(mapped["record"]) | set(mapped["record"].get("_refused", {}))
    names = {"Name": "name", "ARR__c": "arr", "Regions__c": "regions"}
    assert {names[name] for name in values if name in names} <= answered


def test_the_sdks_own_loop_gives_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    messages = (ACCOUNTS, record("accounts", Name="a", ARR__c=1.5), {"type": "STATE", "value": {}})
    mapper().listen(io.StringIO(lines(*messages).decode()))
    through_sdk = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for one, other in zip(through_sdk, run(*messages), strict=True):
        assert {k: v for k, v in one.items() if v is not None} == other


def command(*arguments: str) -> subprocess.Popen[bytes]:
    script = "from mapper_sweo.mapper import MapperSweo; MapperSweo.cli()"
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def config_file() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps({"direction": "to-sweo", "mappings": MAPPINGS}))
        yield path


def test_a_record_is_not_held_back_while_the_tap_waits(config_file: Path) -> None:
    with command("--config", str(config_file)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(lines(ACCOUNTS, record("accounts", Name="Acme")))
        process.stdin.flush()
        process.stdout.readline()
        mapped = json.loads(process.stdout.readline())
        assert mapped["record"]["name"] == "Acme"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(20) == 0


def test_input_may_be_a_file(config_file: Path) -> None:
    source = config_file.parent / "in.jsonl"
    source.write_bytes(lines(ACCOUNTS, record("accounts", Name="ä")))
    with command("--config", str(config_file), "--input", str(source)) as process:
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(out.splitlines()[1])["record"]["name"] == "ä"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mappings": [{"name": "x"}]}, b"the tap and sweo-sync check list them"),
        ({"mappings": None, "mapping_file": "absent.yml"}, b"see the setting mapping_file"),
        ({"direction": "to-mars"}, b"to-mars"),
    ],
)
def test_wrong_settings_end_it_with_one_sentence(
    config_file: Path, change: dict[str, Any], sentence: bytes
) -> None:
    config = {**json.loads(config_file.read_text()), **change}
    config_file.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    with command("--config", str(config_file)) as process:
        out, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert out == b""
    assert sentence in error
    assert b"Traceback" not in error


def test_a_target_that_has_ended_is_told_in_one_sentence(config_file: Path) -> None:
    with command("--config", str(config_file)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(lines(ACCOUNTS, record("accounts", Name="a")))
        process.stdin.close()
        error = process.stderr.read()
        assert process.wait(20) == 1
    assert b"no longer reads" in error
    assert b"Traceback" not in error
    assert b"Exception ignored" not in error
