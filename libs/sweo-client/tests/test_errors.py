from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from sweo_client.errors import Conflict, Next, conflict_of, verdict_of, without_values

A_409 = "A contact matching those details already exists with id=6762f22b1bb69f9f2193bc12"


def test_a_409_names_the_contact() -> None:
    assert conflict_of(A_409) == Conflict("6762f22b1bb69f9f2193bc12", archived=False)
    archived = A_409.replace("A contact", "An archived contact")
    assert conflict_of(archived) == Conflict("6762f22b1bb69f9f2193bc12", archived=True)
    assert conflict_of("Something else went wrong") is None


@pytest.mark.parametrize(
    ("status", "code", "what"),
    [
        (401, "unauthorized", Next.FATAL),
        (401, "a_new_code", Next.FATAL),
        (403, "api_plan_restricted", Next.FATAL),
        (429, "rate_limit_exceeded", Next.RETRY),
        (503, "a_new_code", Next.RETRY),
        (400, "parameter_invalid", Next.QUARANTINE),
        (404, "company_not_found", Next.QUARANTINE),
        (418, "a_new_code", Next.QUARANTINE),
    ],
)
def test_errors_are_sorted_by_what_happens_next(status: int, code: str, what: Next) -> None:
    assert verdict_of(status, code).next is what


def test_a_lost_token_is_told_in_one_sentence_that_names_it() -> None:
    remedy = verdict_of(401, "unauthorized").remedy
    assert "SWEO_ACCESS_TOKEN" in remedy
    assert remedy.count(".") == 1


@given(
    value=st.text(st.characters(categories=["L", "N"]), min_size=4),
    before=st.sampled_from(["", "Email ", "bad value '"]),
    after=st.sampled_from(["", " is invalid", "'"]),
)
def test_no_value_that_was_sent_stands_in_a_message(value: str, before: str, after: str) -> None:
    body = {"email": value, "custom_attributes": {"plan": [value, 4711]}}
    message = without_values(f"{before}{value}{after} near 4711", body)
    assert value not in message.replace("near", "").replace("Email", "").replace(
        "bad value", ""
    ).replace("is invalid", "")
    assert "4711" not in message
