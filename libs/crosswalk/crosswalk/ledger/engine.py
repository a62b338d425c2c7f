"""Opening a ledger's database: SQLite or PostgreSQL, migrated, with errors a person can use."""

from __future__ import annotations

import errno
import os
import re
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from crosswalk.errors import FatalError
from crosswalk.ledger.clock import Clock, system_clock
from crosswalk.ledger.trouble import translated_errors

HEAD: Final = "0002"
"""The migration that this code needs."""

READS_ONLY: Final = "reads_only"
"""An execution option for a transaction that takes no lock: PostgreSQL streams only in one."""

_NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse"}
)
_MOUNTS: Final = Path("/proc/mounts")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_LOCK_TIMEOUT_MS: Final = 30_000


def open_engine(url: str, *, must_exist: bool = False) -> Engine | None:
    """Open the ledger's database and bring it to this version of the schema.

    ``must_exist`` is for readers: it returns None where there is no ledger yet, and leaves the
    database as it is.

    Raises:
        FatalError: where the database cannot be used, with the way out.
    """
    parsed = _parsed(url)
    path = _file_of(parsed)
    if path:
        if must_exist and not path.exists():
            return None
        _make_file(path)
    try:
        engine = _postgresql(parsed) if path is None and _is_server(parsed) else _sqlite(parsed)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise FatalError(
            f"The ledger's database driver is not installed ({error}); install it beside the "
            "plugins, for PostgreSQL psycopg[binary], and start the URL with "
            "postgresql+psycopg://."
        ) from error
    try:
        with translated_errors():
            if must_exist and _version(engine) is None:
                engine.dispose()
                return None
            _migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def shared_clock(engine: Engine) -> Clock:
    """The clock that all users of a database agree on: the server's own, or this machine's where
    the ledger is a file of this machine.
    """
    if engine.dialect.name != "postgresql":
        return system_clock
    with translated_errors(), _reading(engine) as connection:
        theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    ahead = theirs.astimezone(timezone.utc) - system_clock()
    return lambda: system_clock() + ahead


def _parsed(url: str) -> URL:
    shape = (
        "it should look like sqlite:///ledger/prod.db or postgresql+psycopg://user@host/database"
    )
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise FatalError(f"The ledger's URL cannot be read; {shape}.") from error
    if parsed.drivername in ("postgres", "postgresql"):
        # Bare, SQLAlchemy would take it for the older driver psycopg2.
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise FatalError(f"The ledger cannot be kept in {parsed.get_backend_name()}; {shape}.")
    return parsed


def _is_server(parsed: URL) -> bool:
    return parsed.get_backend_name() == "postgresql"


def _file_of(parsed: URL) -> Path | None:
    """The file of a SQLite ledger; None in memory, and where SQLite reads the name as a URI."""
    name = parsed.database
    if _is_server(parsed) or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def _make_file(path: Path) -> None:
    file_system = _file_system_of(path)
    if file_system in _NETWORK_FILE_SYSTEMS:
        raise FatalError(
            f"The ledger {path} lies on a network file system ({file_system}), where SQLite "
            "loses data; use a local disk, or PostgreSQL by SWEO_LEDGER_URL."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file that is there must not be opened here: closing any descriptor of it would drop the
        # locks of every connection that this process has to it.
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        elif path.is_dir() or not _is_writable(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise FatalError(
            f"The ledger {path} cannot be opened for writing ({error.strerror}); make the file "
            "and its folder writable, or name another place by SWEO_LEDGER_URL."
        ) from error


def _is_writable(path: Path) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.R_OK | os.W_OK, effective_ids=effective)


def _file_system_of(path: Path) -> str | None:
    if not _MOUNTS.exists():
        return None
    resolved = path.resolve()
    best: tuple[int, str | None] = (-1, None)
    for line in _MOUNTS.read_text().splitlines():
        _, escaped, kind, *_ = line.split(" ")
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), escaped)
        # Of two mounts on one point the later one is seen.
        if resolved.is_relative_to(point) and len(point) >= best[0]:
            best = (len(point), kind)
    return best[1]


def _sqlite(parsed: URL) -> Engine:
    engine = create_engine(parsed)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        # The driver would begin transactions of its own, late and not immediate.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_LOCK_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not _only_reads(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(parsed: URL) -> Engine:
    # A server's default isolation may be another one; the lock below needs a fresh look at every
    # statement behind it.
    waiting = {} if "connect_timeout" in parsed.query else {"connect_timeout": 10}
    engine = create_engine(
        parsed, isolation_level="READ COMMITTED", pool_pre_ping=True, connect_args=waiting
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # One writer at a time, as in SQLite: what a transaction looks up stays true until its end.
        if not _only_reads(connection):
            connection.exec_driver_sql(
                "SELECT pg_advisory_xact_lock(hashtext('sweo ledger ' || current_schema()))"
            )

    return engine


def _only_reads(connection: Connection) -> bool:
    options = connection.get_execution_options()
    # SQLAlchemy tells of a beginning although the driver begins nothing in this mode.
    return options.get("isolation_level") == "AUTOCOMMIT" or bool(options.get(READS_ONLY))


def _reading(engine: Engine) -> Connection:
    return engine.execution_options(isolation_level="AUTOCOMMIT").connect()


def _version(engine: Engine) -> str | None:
    with _reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalar()
    return version


def _migrate(engine: Engine) -> None:
    version = _version(engine)
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
        with _reading(engine) as connection:
            ours = inspect(connection).has_table("lease")
        if not ours:
            raise FatalError(
                "The database that was named for the ledger belongs to another program; give the "
                "ledger a database or a schema of its own by SWEO_LEDGER_URL."
            )
        raise FatalError(
            f"The ledger was written by a newer version of Sweo Sync (schema {version}); "
            "upgrade the plugins, or point SWEO_LEDGER_URL at another ledger."
        )
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
