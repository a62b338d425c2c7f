"""Restricted fields: a value must be one of the options, whose spelling is the option's own."""

from __future__ import annotations

from functools import lru_cache

from crosswalk.values.outcome import Refused


@lru_cache(maxsize=1024)
def _by_folded(options: tuple[str, ...]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for option in options:
        folded.setdefault(option.casefold(), option)
    folded.update({option: option for option in options})
    return folded


def chosen(text: str, options: tuple[str, ...]) -> str:
    """The option that ``text`` names, exactly or, failing that, in another case.

    Raises:
        Refused: it names none.
    """
    known = _by_folded(options)
    option = text if text in options else known.get(text.casefold())
    if option is None:
        raise Refused("not_an_option", f"the field takes one of its {len(options)} options")
    return option
