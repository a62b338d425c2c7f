"""The pure parts: SOQL, ids, times, error codes, describes, CSV cells."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from crosswalk.errors import FatalError, RetryLaterError
from hypothesis import given, strategies as st
from salesforce_client.bulk import takes_bulk_ingest, typed
from salesforce_client.errors import Next, RequestRefusedError, meaning_of, vendor_errors
from salesforce_client.fields import Resolved, description_of, related_objects, resolve
from salesforce_client.ids import to_18
from salesforce_client.query import flattener, takes_bulk
from salesforce_client.soql import (
    QUERY_BUDGET_BYTES,
    Select,
    encoded_bytes,
    in_batches,
    literal,
)
from salesforce_client.times import http_date, iso_z, normalised, parse_time

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}


def _unquoted(text: str) -> str:
    """Read a SOQL string literal the way Salesforce documents its escapes."""
    assert text[0] == text[-1] == "'"
    return re.sub(r"\\(.)", lambda m: ESCAPES[m[1]], text[1:-1], flags=re.DOTALL)


@given(st.text())
def test_a_quoted_text_reads_back(text: str) -> None:
    quoted = literal(text)
    assert _unquoted(quoted) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*'.", quoted[1:-1] + "x"), "the literal ends early"


def test_literals_of_other_kinds() -> None:
    assert [literal(v) for v in (None, True, False, 5, 1.5)] == [
        "null",
        "true",
        "false",
        "5",
        "1.5",
    ]


@given(st.lists(st.text(min_size=1, max_size=80), max_size=300), st.integers(0, 8_000))
def test_in_batches_lose_nothing_and_fit(values: list[str], taken: int) -> None:
    batches = list(in_batches("Name", values, taken_bytes=taken))
    assert [v for _, batch in batches for v in batch] == list(dict.fromkeys(values))
    for text, batch in batches:
        assert len(batch) == 1 or encoded_bytes(text) + taken <= QUERY_BUDGET_BYTES


@given(st.lists(st.from_regex(r"[A-Z][a-z]{1,30}(__c)?", fullmatch=True), unique=True, min_size=1))
def test_a_split_select_keeps_every_field(fields: list[str]) -> None:
    select = Select("Account", ("Id", *fields), ("A = 1",), ("Id",))
    first, rest = select.split(200)
    assert first.fields[0] == "Id"
    assert sorted((*first.fields, *rest)) == sorted(("Id", *fields))
    assert encoded_bytes(first.text()) <= 200 or len(first.fields) == 1


def test_ids_get_their_checksum() -> None:
    assert to_18("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert to_18("001A0000006Vm9rIAC") == "001A0000006Vm9rIAC"
    with pytest.raises(ValueError, match="15 or 18"):
        to_18("001")


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_times_are_the_same_moment_in_every_spelling(moment: datetime, offset: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone.utc)
    shifted = moment.astimezone(timezone(timedelta(minutes=offset)))
    spelt = shifted.strftime("%Y-%m-%dT%H:%M:%S.000%z")
    assert parse_time(spelt) == moment
    assert normalised(spelt) == iso_z(moment)
    assert parse_time(iso_z(moment)) == moment


def test_a_time_for_a_header() -> None:
    assert http_date("2026-01-02T03:04:05.000+0000") == "Fri, 02 Jan 2026 03:04:05 GMT"


@pytest.mark.parametrize(
    ("code", "row", "expected"),
    [
        ("UNABLE_TO_LOCK_ROW", True, Next.RETRY),
        ("REQUEST_LIMIT_EXCEEDED", False, Next.RETRY),
        ("ENTITY_IS_DELETED", True, Next.GONE),
        ("INVALID_FIELD", False, Next.FATAL),
        ("INVALID_FIELD", True, Next.QUARANTINE),
        ("STRING_TOO_LONG", True, Next.QUARANTINE),
        ("SOMETHING_NEW", True, Next.QUARANTINE),
        ("SOMETHING_NEW", False, Next.FATAL),
    ],
)
def test_what_follows_from_a_code(code: str, row: bool, expected: Next) -> None:
    assert meaning_of(code, row=row).next is expected


def test_error_bodies_of_every_shape() -> None:
    body = [{"errorCode": "A", "message": "m", "fields": ["F"]}]
    row = {"success": False, "errors": [{"statusCode": "B", "message": "m", "fields": []}]}
    assert [e.code for e in vendor_errors(body)] == ["A"]
    assert vendor_errors(body)[0].fields == ("F",)
    assert [e.code for e in vendor_errors(row)] == ["B"]
    assert [e.code for e in vendor_errors({"error": "invalid_grant"})] == ["invalid_grant"]
    assert vendor_errors("<html>") == ()


def test_refusals_are_sorted_by_what_happens_next() -> None:
    limit = RequestRefusedError(403, vendor_errors([{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]))
    typo = RequestRefusedError(400, vendor_errors([{"errorCode": "MALFORMED_QUERY"}]))
    assert isinstance(limit.sorted(), RetryLaterError)
    assert isinstance(typo.sorted(), FatalError)
    assert isinstance(RequestRefusedError(502, ()).sorted(), RetryLaterError)


def _field(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "type": "string", "length": 80, "updateable": True, **more}


CONTACT = description_of(
    {
        "name": "Contact",
        "fields": [
            _field("Email", type="email"),
            _field(
                "AccountId",
                type="reference",
                relationshipName="Account",
                referenceTo=["Account"],
            ),
            _field(
                "OwnerId",
                type="reference",
                relationshipName="Owner",
                referenceTo=["Group", "User"],
            ),
            _field("Key__c", externalId=True, unique=True, custom=True),
            _field(
                "Rating",
                type="picklist",
                restrictedPicklist=True,
                picklistValues=[
                    {"value": "Hot", "active": True},
                    {"value": "Old", "active": False},
                ],
            ),
            _field("Amount", type="currency", precision=18, scale=2, length=0),
        ],
    }
)
ACCOUNT = description_of(
    {
        "name": "Account",
        "fields": [
            _field("Industry"),
            _field("OwnerId", type="reference", relationshipName="Owner", referenceTo=["User"]),
        ],
    }
)
USER = description_of({"name": "User", "fields": [_field("Email", type="email")]})
KNOWN = {"Contact": CONTACT, "Account": ACCOUNT, "User": USER}


def test_fields_as_describe_tells_them() -> None:
    rating, amount = CONTACT.field("rating"), CONTACT.field("Amount")
    assert rating is not None
    assert amount is not None
    assert (rating.options, rating.restricted) == (("Hot",), True)
    assert (amount.precision, amount.scale, amount.length) == (18, 2, None)
    key = CONTACT.field("Key__c")
    assert key is not None
    assert key.key


def test_dotted_names_are_followed_to_their_objects() -> None:
    names = ["Email", "account.owner.email", "Owner.Email"]
    assert related_objects(CONTACT, names, {}) == {"Account", "User"}
    assert related_objects(CONTACT, names, {"Account": ACCOUNT}) == {"User"}
    assert related_objects(CONTACT, names, KNOWN) == set()
    found = resolve("account.owner.email", CONTACT, KNOWN)
    assert isinstance(found, Resolved)
    assert found.path == ("Account", "Owner", "Email")
    assert found.lookups == (("AccountId", "Account"), ("OwnerId", "User"))
    assert found.type.name == "account.owner.email"
    assert not found.type.writable


def test_what_cannot_be_followed_is_said() -> None:
    assert "did you mean Email?" in str(resolve("Emial", CONTACT, KNOWN))
    assert "no relationship Nothing" in str(resolve("Nothing.Name", CONTACT, KNOWN))


def test_rows_become_flat() -> None:
    flat = flattener({"email": ("Email",), "Account.Owner.Email": ("Account", "Owner", "Email")})
    row = {"Email": "a", "Account": {"Owner": {"Email": "b"}}}
    assert flat(row) == {"email": "a", "Account.Owner.Email": "b"}
    assert flat({"Account": None}) == {"Account.Owner.Email": None}, "unread is absent"


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("int", "5", 5),
        ("double", "1.5", 1.5),
        ("string", "", None),
        ("string", "true", "true"),
        ("date", "2026-01-02", "2026-01-02"),
    ],
)
def test_cells_become_what_rest_sends(kind: str, cell: str, value: object) -> None:
    assert typed(kind)(cell) == value
    assert type(typed(kind)(cell)) is type(value)


@given(st.integers(0, 2_000_000))
def test_bulk_is_chosen_only_where_it_takes_fewer_calls(rows: int) -> None:
    rest_left = -(-rows // 2_000) - 1
    bulk = 2 + -(-rows // 25_000)
    assert takes_bulk(rows) == (rows > 6_000 and bulk < rest_left)
    assert takes_bulk_ingest(rows) == (-(-rows // 1_000) > 6)
