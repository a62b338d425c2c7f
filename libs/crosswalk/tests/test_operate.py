from __future__ import annotations

import pytest
from crosswalk.errors import FatalError
from crosswalk.ledger.operate import canonical_of
from crosswalk.values import Kind


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Media", Kind.TEXT, "Media"),
        ("", Kind.TEXT, None),
        ("  ", Kind.NUMBER, None),
        ("12.50", Kind.NUMBER, 12.5),
        ("True", Kind.BOOLEAN, True),
        ("2026-01-31", Kind.DATE, "2026-01-31"),
        ("2026-01-31T10:00:00+02:00", Kind.TIMESTAMP, "2026-01-31T08:00:00Z"),
        ("b;a", Kind.OPTIONS, ["a", "b"]),
        ("001000000000001", Kind.REFERENCE, "001000000000001AAA"),
    ],
)
def test_what_a_person_spells(text, kind, value):
    assert canonical_of(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("twelve", Kind.NUMBER),
        ("maybe", Kind.BOOLEAN),
        ("31.01.2026", Kind.DATE),
        ("yesterday", Kind.TIMESTAMP),
        ("Acme", Kind.REFERENCE),
        ("x", Kind.UNSUPPORTED),
    ],
)
def test_what_spells_nothing_is_refused_without_quoting_it(text, kind):
    with pytest.raises(FatalError) as refused:
        canonical_of(text, kind)
    assert text not in str(refused.value) or len(text) == 1
