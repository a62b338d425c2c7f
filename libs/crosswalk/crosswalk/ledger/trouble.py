"""What a database's errors mean for the person whose ledger it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError

from crosswalk.errors import FatalError, RetryLaterError, SyncError

_LOCKED = "The ledger stayed locked by another process for 30 seconds; run again."


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn a database's errors into sentences that say what to do.

    Raises:
        RetryLaterError: a lock was not free in time, or a server is away for now.
        FatalError: anything else; a person has to act.
    """
    try:
        yield
    except DBAPIError as error:
        reason = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
        raise _sorted(error, reason.rstrip(".")) from error
    except PoolTimeoutError as error:
        raise RetryLaterError(
            "No connection to the ledger's database became free in time; run again."
        ) from error
    except (msgspec.MsgspecError, json.JSONDecodeError) as error:
        raise _damaged("a row cannot be read") from error


def _sorted(error: DBAPIError, reason: str) -> SyncError:
    if type(error.orig).__module__.startswith("sqlite3"):
        return _of_a_file(reason)
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if not state:
        return _of_a_connection(reason)
    return _of_a_server(state, reason)


def _of_a_file(reason: str) -> SyncError:
    lowered = reason.lower()
    if "malformed" in lowered or "not a database" in lowered:
        return _damaged(reason)
    if "readonly" in lowered or "read-only" in lowered:
        return FatalError(
            "The ledger is read-only; make the file and its folder writable for this user."
        )
    if "disk is full" in lowered or "disk i/o" in lowered:
        return _full(reason)
    if "unable to open" in lowered:
        return FatalError(
            "The ledger's file cannot be opened; make it and its folder readable and writable "
            "for this user, or name another place by SWEO_LEDGER_URL."
        )
    if "locked" in lowered:
        return RetryLaterError(_LOCKED)
    return _refused(reason)


_NEEDS_A_PERSON = ("authentication", "password", "does not exist", "pg_hba", "could not translate")


def _of_a_connection(reason: str) -> SyncError:
    """An error without a code of the server's: it was not reached, or did not let us in."""
    if any(word in reason.lower() for word in _NEEDS_A_PERSON):
        return _locked_out(reason)
    return _away(reason)


def _of_a_server(state: str, reason: str) -> SyncError:
    return (_SORTS.get(state) or _SORTS.get(state[:2]) or _refused)(reason)


def _away(reason: str) -> RetryLaterError:
    return RetryLaterError(
        f"The ledger's database cannot be reached ({reason}); run again when the server is up: "
        "nothing was lost."
    )


def _locked_out(reason: str) -> FatalError:
    return FatalError(
        f"The ledger's database does not let this user in ({reason}); check the host, user, "
        "password and database in SWEO_LEDGER_URL."
    )


def _forbidden(reason: str) -> FatalError:
    return FatalError(
        f"The ledger's user may not use its tables ({reason}); grant it CREATE and USAGE on the "
        "schema, or let it own them."
    )


def _damaged(reason: str) -> FatalError:
    return FatalError(
        f"The ledger is damaged ({reason}); restore it from a backup, or move it away: the next "
        "run then matches all records anew and erases nothing."
    )


def _full(reason: str) -> FatalError:
    return FatalError(
        f"The ledger cannot be written ({reason}); free disk space and run again: nothing was lost."
    )


def _refused(reason: str) -> FatalError:
    return FatalError(f"The ledger's database refused a statement ({reason}).")


_SORTS: dict[str, Callable[[str], SyncError]] = {
    "40001": lambda _: RetryLaterError(_LOCKED),
    "40P01": lambda _: RetryLaterError(_LOCKED),
    "55P03": lambda _: RetryLaterError(_LOCKED),
    "08": _away,
    "57": _away,
    "53300": _away,
    "53100": _full,
    "28": _locked_out,
    "3D000": _locked_out,
    "XX": _damaged,
    "25006": lambda _: FatalError(
        "The ledger's database is read-only; point SWEO_LEDGER_URL at the primary server."
    ),
    "42501": _forbidden,
    "3F000": _forbidden,
}
"""By SQLSTATE or its class (appendix A of the PostgreSQL manual)."""
