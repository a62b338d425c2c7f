"""Errors sorted by what happens next.

A message is one sentence for a person: what is wrong and what to do. It names settings,
fields and vendor codes, never a secret and never a field's value.
"""

from __future__ import annotations


class SyncError(Exception):
    """Base of every error that Sweo Sync raises on purpose."""


class FatalError(SyncError):
    """The run ends with exit code 1; trying again changes nothing until a person acts."""


class RetryLaterError(SyncError):
    """The run ends cleanly with STATE committed; the next run may succeed (limits, outages)."""


class UnknownOutcomeError(RetryLaterError):
    """A write was sent and its answer was lost: it may or may not have happened.

    Nobody may send it again before the record was read.
    """
