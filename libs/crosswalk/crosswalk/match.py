"""Match values: what is compared to tell that two records are the same thing."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from urllib.parse import urlsplit

from crosswalk.mapping import Mapping, Normalise, Side
from crosswalk.values.numbers import canonical_number, text_of_number

# A Salesforce sandbox appends it to the addresses of its users.
_SANDBOX_SUFFIX = ".invalid"
_EXTENSION = re.compile(r"(?:\bext(?:ension)?\b|[x#;]).*", re.IGNORECASE | re.DOTALL)
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)


def normalise(value: object, how: Normalise) -> str | None:
    """The comparable form of a raw or canonical match value; None where it is empty.

    - ``exact``: trimmed, case kept; a number is its digits.
    - ``email``: trimmed, case folded, without the ``.invalid`` of Salesforce sandboxes.
    - ``domain``: the host of an address of the web or of mail, case folded, without ``www.``.
    - ``phone``: its digits, after ``+`` where it is international (``00`` counts as ``+``),
      without an extension.
    """
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            text = text_of_number(canonical_number(value))
        except ValueError:
            return None
    else:
        return None
    if how is Normalise.EXACT or not text:
        return text or None
    return _FORMS[how](text) or None


def match_values(
    mapping: Mapping, side: Side, values: MappingOf[str, object]
) -> list[str | None] | None:
    """The record's normalised match values in the mapping's order of preference.

    None for what is empty or was not read; None as a whole where no match field was read at all.
    """
    names = [match.on(side) for match in mapping.match]
    if not any(name in values for name in names):
        return None
    return [
        normalise(values.get(name), match.normalise)
        for name, match in zip(names, mapping.match, strict=True)
    ]


def _email(text: str) -> str:
    folded = text.casefold()
    if folded.endswith(_SANDBOX_SUFFIX) and "@" in folded:
        folded = folded[: -len(_SANDBOX_SUFFIX)]
    return folded


def _domain(text: str) -> str:
    folded = text.casefold()
    if "://" not in folded:
        if folded.startswith("mailto:"):
            folded = folded[len("mailto:") :]
        folded = "//" + folded.lstrip("/")
    try:
        host = urlsplit(folded).hostname or ""
    except ValueError:
        return ""
    host = host.rstrip(".")
    return host[len("www.") :] if host.startswith("www.") else host


def _phone(text: str) -> str:
    number = _EXTENSION.sub("", text)
    digits = _NOT_DIGITS.sub("", number)
    international = number.lstrip(" (").startswith("+")
    if not international and digits.startswith("00"):
        digits, international = digits[2:], True
    return "+" + digits if international and digits else digits


_FORMS = {Normalise.EMAIL: _email, Normalise.DOMAIN: _domain, Normalise.PHONE: _phone}
