"""Record ids: 15 characters that tell upper from lower case, or 18 with a checksum of the case.

The first three name the object (key prefix), two the instance, one is reserved, nine count.
"""

from __future__ import annotations

import base64
import binascii

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_FIRST_INSTANCE = 13 * 62 + 49
_ALLOWED = frozenset(_DIGITS)


def checksum(id15: str) -> str:
    """The three characters that make an 18-character id: one for the case of each five."""
    letters = []
    for start in (0, 5, 10):
        bits = 0
        for place in range(5):
            if "A" <= id15[start + place] <= "Z":
                bits |= 1 << place
        letters.append(_CHECK[bits])
    return "".join(letters)


def make_id(key_prefix: str, number: int, org_number: int = 1) -> str:
    """The 18-character id of an object's ``number``-th record; ids sort as their numbers do.

    Each org is on an instance of its own, so no two orgs share an id.
    """
    high, low = divmod(_FIRST_INSTANCE + org_number - 1, 62)
    digits = []
    for _ in range(9):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    id15 = f"{key_prefix}{_DIGITS[high]}{_DIGITS[low]}0{''.join(reversed(digits))}"
    return id15 + checksum(id15)


def number_of(record_id: str) -> int:
    """The count that :func:`make_id` put into an id."""
    number = 0
    for character in record_id[6:15]:
        number = number * 62 + _DIGITS.index(character)
    return number


def to_18(text: str) -> str | None:
    """The 18-character form, or None if the text is no id.

    An 18-character id in any case is mended from its checksum, as the vendor does.
    """
    if len(text) not in (15, 18) or not _ALLOWED.issuperset(text):
        return None
    if len(text) == 15:
        return text + checksum(text)
    if text[15:] == checksum(text[:15]):
        return text
    return _mended(text)


def _mended(text: str) -> str | None:
    characters = []
    for index, character in enumerate(text[:15]):
        letter = text[15 + index // 5].upper()
        if letter not in _CHECK:
            return None
        upper = _CHECK.index(letter) >> (index % 5) & 1
        if upper and not character.isalpha():
            return None
        characters.append(character.upper() if upper else character.lower())
    id15 = "".join(characters)
    return id15 + checksum(id15)


def to_locator(offset: int) -> str:
    """A Bulk 2 result locator: letters that mean a row number to nobody but us."""
    return base64.urlsafe_b64encode(f"row:{offset}".encode()).decode().rstrip("=")


def from_locator(locator: str) -> int | None:
    """The row number of a locator, or None if it is none."""
    try:
        padded = locator + "=" * (-len(locator) % 4)
        text = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii")
    except (ValueError, binascii.Error):
        return None
    prefix, _, number = text.partition(":")
    return int(number) if prefix == "row" and number.isdigit() else None
