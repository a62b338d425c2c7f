from __future__ import annotations

from pathlib import Path

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side
from crosswalk.types import meets, types_page

PAGE = Path(__file__).parents[3] / "docs" / "types.md"


def field(side: Side, type_name: str) -> FieldType:
    return FieldType(side=side, name="f", type=type_name)


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == types_page(), "run python -m crosswalk.types"


def test_some_meetings() -> None:
    date = field(Side.SALESFORCE, "date")
    assert meets(date, field(Side.SWEO, "date")).how == (
        "noon of that day in the workspace's time zone"
    )
    assert meets(date, field(Side.SWEO, "boolean")).why == "a day is not true or false"
    text = field(Side.SALESFORCE, "string")
    assert meets(text, field(Side.SWEO, "string")).how == "direct"
    assert not meets(text, field(Side.SWEO, "string")).converted
    assert "map its parts" in str(
        meets(field(Side.SALESFORCE, "address"), field(Side.SWEO, "string")).why
    )
    record_id = field(Side.SALESFORCE, "id")
    assert meets(record_id, field(Side.SWEO, "string")).ok
    assert not meets(field(Side.SWEO, "string"), record_id).ok
    assert meets(text, field(Side.SWEO, "hologram")).why == "unknown type hologram"
