"""Logins, API access, what is left of the limits, and the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswalk.errors import SyncError

from sweo_sync.doctor.finding import Finding, Level
from sweo_sync.doctor.visit import Visit
from sweo_sync.show import duration_text

LOGINS: Final = "logins"
API: Final = "API access and limits"
CLOCKS: Final = "clocks"
_SCARCE_SHARE: Final = 0.2
_SCARCE_ATTRIBUTES: Final = 10
_CLOCK_SECONDS: Final = 60
"""A signed login lives three minutes, and Date headers are cut to seconds."""


def look_at_logins(visit: Visit) -> Iterator[Finding]:
    """Whether both sides let us in; one call each."""
    try:
        refusal = visit.refusal
    except SyncError as error:
        visit.fail("salesforce", "the Salesforce login fails")
        yield Finding(LOGINS, Level.FAILURE, f"Salesforce: {error}", "mend the SALESFORCE_* login")
    else:
        host = "Salesforce lets the login in" + (", but not to its API" if refusal else "")
        yield Finding(LOGINS, Level.OK, f"{host}.")
    try:
        found = visit.identity
    except SyncError as error:
        visit.fail("sweo", "the Sweo login fails")
        yield Finding(LOGINS, Level.FAILURE, f"Sweo: {error}", "mend SWEO_ACCESS_TOKEN")
    else:
        yield Finding(
            LOGINS,
            Level.OK,
            f"Sweo lets the token in, to workspace {found.id} (time zone {found.timezone}).",
        )


def look_at_sweo_limits(visit: Visit) -> Iterator[Finding]:
    """How many custom attributes may still be made."""
    workspace = visit.workspace
    left, needed = workspace.room, workspace.to_make(visit.mappings)
    if len(needed) > left:
        yield Finding(
            API,
            Level.FAILURE,
            f"Sweo has room for {left} more custom attributes, and the mappings need "
            f"{len(needed)} ({', '.join(needed)}).",
            "archive attributes that nobody uses, or map fewer fields",
        )
        return
    scarce = left - len(needed) < _SCARCE_ATTRIBUTES
    yield Finding(
        API,
        Level.WARNING if scarce else Level.OK,
        f"Sweo has room for {left} more custom attributes.",
        "archive attributes that nobody uses" if scarce else None,
    )


def look_at_salesforce_limits(visit: Visit) -> Iterator[Finding]:
    """Whether the API may be used, and how many calls are left."""
    visit.needs("salesforce")
    refusal = visit.refusal
    if refusal:
        visit.fail("salesforce", "Salesforce's API cannot be used")
        spent = refusal.code == "REQUEST_LIMIT_EXCEEDED"
        yield Finding(
            API,
            Level.FAILURE,
            str(refusal),
            "wait for the 24 hours to pass, or buy API calls"
            if spent
            else "give the user the permission 'API Enabled', in an edition that has the API",
        )
        return
    usage = visit.connection.session.usage
    if usage is None:
        yield Finding(API, Level.SKIPPED, "Salesforce does not tell how many API calls are left.")
        return
    most, left = usage.allowed, usage.allowed - usage.used
    scarce = left < most * _SCARCE_SHARE
    yield Finding(
        API,
        Level.WARNING if scarce else Level.OK,
        f"Salesforce: {left:,} of {most:,} API calls of these 24 hours are left.",
        "find out which program uses them (Setup, API Usage), or sync less often"
        if scarce
        else None,
    )


def look_at_clocks(visit: Visit) -> Iterator[Finding]:
    """How far the clocks are apart, as the answers so far have told."""
    visit.needs("salesforce")
    visit.needs("sweo")
    ahead = {
        "Salesforce": visit.connection.session.skew_seconds,
        "Sweo": visit.client.clock.skew_seconds,
    }
    far = {name: seconds for name, seconds in ahead.items() if abs(seconds) > _CLOCK_SECONDS}
    if not far:
        yield Finding(CLOCKS, Level.OK, "The clocks agree.")
        return
    told = " and ".join(
        f"{name}'s clock is {duration_text(abs(seconds))} "
        f"{'ahead of' if seconds > 0 else 'behind'} this machine's"
        for name, seconds in far.items()
    )
    ours = len(far) == len(ahead) and abs(ahead["Salesforce"] - ahead["Sweo"]) < _CLOCK_SECONDS
    yield Finding(
        CLOCKS,
        Level.WARNING,
        f"{told}.",
        "set this machine's clock (NTP); signed logins fail when it is off"
        if ours
        else "compare both with the true time; `conflict: newest` corrects the difference",
    )
