"""Opening a ledger's database: SQLite or PostgreSQL, migrated, with errors a person can use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from crosswalk.errors import FatalError, RetryLaterError

HEAD: Final = "0001"
"""The migration that this code needs."""

_NETWORK_FILE_SYSTEMS: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})
_BUSY_TIMEOUT_MS: Final = 30_000


def open_engine(url: str, *, must_exist: bool = False) -> Engine | None:
    """Open the ledger's database and bring it to this version of the schema.

    ``must_exist`` is for readers: it returns None where there is no ledger yet, and leaves the
    database as it is.

    Raises:
        FatalError: where the database cannot be used, with the way out.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise FatalError(
            "The ledger's URL cannot be read; it should look like sqlite:///ledger/prod.db or "
            "postgresql+psycopg://user@host/database."
        ) from error
    path = (
        Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
    )
    if path and str(path) != ":memory:":
        if must_exist and not path.exists():
            return None
        _make_file(path)
    try:
        engine = create_engine(parsed)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise FatalError(
            f"The ledger's database driver is not installed ({error}); install it beside the "
            "plugins, for example psycopg[binary] for PostgreSQL."
        ) from error
    if path:
        _prepare_sqlite(engine)
    with translated_errors():
        if must_exist and not inspect(engine).has_table("alembic_version"):
            engine.dispose()
            return None
        _migrate(engine)
    return engine


def _make_file(path: Path) -> None:
    file_system = _file_system_of(path)
    if file_system in _NETWORK_FILE_SYSTEMS:
        raise FatalError(
            f"The ledger {path} lies on a network file system ({file_system}), where SQLite "
            "loses data; use a local disk, or PostgreSQL by SWEO_LEDGER_URL."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise FatalError(
            f"The ledger {path} cannot be opened for writing ({error.strerror}); make the file "
            "and its folder writable, or name another place by SWEO_LEDGER_URL."
        ) from error


def _file_system_of(path: Path) -> str | None:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return None
    resolved = path.absolute()
    best: tuple[int, str | None] = (-1, None)
    for line in mounts.read_text().splitlines():
        _, point, kind, *_ = line.split(" ")
        if resolved.is_relative_to(point) and len(point) > best[0]:
            best = (len(point), kind)
    return best[1]


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        # The driver would begin transactions of its own, late and not immediate.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        exists = inspect(connection).has_table("alembic_version")
        version = (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if exists
            else None
        )
    if version == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(files("crosswalk").joinpath("migrations")))
    known = {
        revision.revision for revision in ScriptDirectory.from_config(settings).walk_revisions()
    }
    if version is not None and version not in known:
        raise FatalError(
            f"The ledger was written by a newer version of Sweo Sync (schema {version}); "
            "upgrade the plugins, or point SWEO_LEDGER_URL at another ledger."
        )
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn a database's errors into sentences that say what to do."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        lowered = reason.lower()
        if "malformed" in lowered or "not a database" in lowered:
            raise FatalError(
                f"The ledger is damaged ({reason}); restore it from a backup, or move the file "
                "away: the next run then matches all records anew and erases nothing."
            ) from error
        if "readonly" in lowered or "read-only" in lowered:
            raise FatalError(
                "The ledger is read-only; make the file and its folder writable for this user."
            ) from error
        if "full" in lowered or "disk i/o" in lowered:
            raise FatalError(
                f"The ledger cannot be written ({reason}); free disk space and run again: "
                "nothing was lost."
            ) from error
        if "locked" in lowered:
            raise RetryLaterError(
                "The ledger stayed locked by another process for 30 seconds; run again."
            ) from error
        raise FatalError(f"The ledger's database refused a statement ({reason}).") from error
