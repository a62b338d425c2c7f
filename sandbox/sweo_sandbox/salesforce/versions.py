"""The API versions that the org speaks, and what stands at the root of one."""

from __future__ import annotations

import re

from . import errors

OLDEST, NEWEST = 20, 68
VERSION_PATH = re.compile(r"/services/data/v(\d+\.\d+)(/.*)?$", re.IGNORECASE)
_SEASONS = ("Winter", "Spring", "Summer")


def check_version(text: str) -> str:
    """The version as it stands in URLs.

    Raises:
        SalesforceError: 404, one that the org does not speak.
    """
    number, _, minor = text.partition(".")
    if minor != "0" or not OLDEST <= int(number) <= NEWEST:
        raise errors.not_found()
    return f"{int(number)}.0"


def versions() -> list[dict[str, str]]:
    """``GET /services/data``; needs no login."""
    listed = []
    for number in range(OLDEST, NEWEST + 1):
        # Version 20 was Winter '11; three a year.
        year, season = divmod(number - OLDEST, 3)
        listed.append(
            {
                "label": f"{_SEASONS[season]} '{11 + year:02d}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
        )
    return listed


def resources(version: str) -> dict[str, str]:
    """``GET /services/data/vXX.0``."""
    base = f"/services/data/v{version}"
    names = ("composite", "jobs", "limits", "query", "queryAll", "recent", "sobjects", "tooling")
    return {name: f"{base}/{name}" for name in names}
