"""A ledger that cannot be used: refused in one sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crosswalk.errors import FatalError, RetryLaterError, SyncError
from crosswalk.ledger import Ledger, engine as ledger_engine, schema
from crosswalk.ledger.commit import Commit, RevisitRow, Writer
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Side
from postgres import empty_ledger_url
from sqlalchemy import event, text, update
from sqlalchemy.engine import make_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def made(path: Path) -> Path:
    """A ledger with some rows, closed."""
    ledger = Ledger.open(f"sqlite:///{path}")
    for number in range(30):
        Writer(ledger).open_link("accounts", f"001{number}", f"c{number}", "r")
    ledger.close()
    return path


def refused(url: str | Path, error: type[SyncError] = FatalError) -> str:
    with pytest.raises(error) as caught:
        Ledger.open(url if isinstance(url, str) else f"sqlite:///{url}")
    said = str(caught.value)
    assert "\n" not in said
    return said


# the URL


def test_what_is_no_url_is_shown_what_one_looks_like() -> None:
    assert "sqlite:///ledger/prod.db or postgresql+psycopg://" in refused("ledger.db")


def test_other_databases_are_refused() -> None:
    assert "cannot be kept in mysql" in refused("mysql://u:secret@h/d")
    assert "secret" not in refused("mysql://u:secret@h/d")


def test_a_driver_that_is_not_installed_is_named() -> None:
    said = refused("postgresql+asyncpg_of_old://u:secret@h/d")
    assert "psycopg[binary]" in said
    assert "secret" not in said


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_bare_postgresql_url_takes_our_driver(scheme: str) -> None:
    url = empty_ledger_url().replace("postgresql+psycopg", scheme)
    ledger = Ledger.open(url)
    assert ledger.engine.driver == "psycopg"
    ledger.close()


# the file


def test_the_file_and_its_folders_are_made_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "prod.db"
    Ledger.open(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_reader_makes_nothing(path: Path, ledger_url: str) -> None:
    assert Ledger.open_existing(f"sqlite:///{path}") is None
    assert not path.exists()
    assert Ledger.open_existing(ledger_url) is None
    Ledger.open(ledger_url).close()
    found = Ledger.open_existing(ledger_url)
    assert found is not None
    found.close()


def test_a_ledger_in_memory_works() -> None:
    Ledger.open("sqlite://").close()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" * 9])
def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    said = refused(path)
    assert "damaged" in said
    assert "matches all records anew and erases nothing" in said
    assert path.read_bytes() == content


def test_pages_full_of_rubbish(made: Path) -> None:
    with sqlite3.connect(made) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(made.read_bytes())
    for start in range(8_192, len(content), 4_096):
        content[start : start + 2_000] = b"\xa5" * 2_000
    made.write_bytes(content)
    with pytest.raises(FatalError, match="damaged"):  # noqa: PT012 - opening may notice or not
        ledger = Ledger.open(f"sqlite:///{made}")
        ledger.links("accounts", Side.SWEO, [f"c{n}" for n in range(30)])


def test_a_row_that_cannot_be_read(ledger: Ledger) -> None:
    Writer(ledger).open_link("accounts", "001", "c1", "r")
    with ledger.engine.begin() as connection:
        connection.execute(update(schema.link).values(base_sweo='{"1": '))
    for read in (
        lambda: ledger.links("accounts", Side.SWEO, ["c1"]),
        lambda: ledger.pair("accounts", "001", "c1"),
    ):
        with pytest.raises(FatalError, match="damaged"):
            read()


def test_a_ledger_of_a_newer_version(ledger: Ledger, ledger_url: str) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ledger.close()
    said = refused(ledger_url)
    assert "newer version of Sweo Sync (schema 9999)" in said
    assert "upgrade the plugins" in said


def test_a_database_of_another_program(ledger: Ledger, ledger_url: str) -> None:
    """Meltano, Airflow and many others keep their schema by Alembic too."""
    with ledger.engine.begin() as connection:
        schema.metadata.drop_all(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '23a5'"))
    ledger.close()
    assert "database or a schema of its own" in refused(ledger_url)


def test_a_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = path.parent / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {path.parent} nfs4 rw 0 0\n")
    monkeypatch.setattr(ledger_engine, "_MOUNTS", mounts)
    said = refused(path)
    assert "network file system (nfs4)" in said
    assert "PostgreSQL" in said
    assert not path.exists()


def test_a_mount_point_may_hold_a_space_and_a_file_may_be_a_symlink(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "my share"
    share.mkdir()
    (tmp_path / "ledger").symlink_to(share)
    mounts = tmp_path / "mounts"
    escaped = str(share).replace(" ", "\\040")
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\n//server/x {escaped} cifs rw 0 0\n")
    monkeypatch.setattr(ledger_engine, "_MOUNTS", mounts)
    assert "cifs" in refused(tmp_path / "ledger" / "prod.db")


# rights: root may do anything, so the file system is asked as somebody else


@contextmanager
def as_somebody_else() -> Iterator[Path]:
    """A folder of that user's, and the rights of that user."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_a_file_without_rights() -> None:
    with as_somebody_else() as folder:
        path = folder / "ledger.db"
        Ledger.open(f"sqlite:///{path}").close()
        path.chmod(0o400)
        said = refused(path)
        assert "make the file and its folder writable" in said


def test_a_folder_without_rights() -> None:
    with as_somebody_else() as folder:
        path = folder / "ledger.db"
        Ledger.open(f"sqlite:///{path}").close()
        folder.chmod(0o500)
        # SQLite needs files beside the ledger.
        said = refused(path)
        folder.chmod(0o700)
        assert "folder" in said
        assert "writable" in said


def test_a_place_that_cannot_be_made() -> None:
    with as_somebody_else() as folder:
        folder.chmod(0o500)
        said = refused(folder / "sub" / "ledger.db")
        folder.chmod(0o700)
        assert "cannot be opened for writing" in said


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    assert "cannot be opened" in refused(tmp_path)


def test_opened_read_only_on_purpose(made: Path) -> None:
    ledger = Ledger.open(f"sqlite:///file:{made}?mode=ro&uri=true")
    assert len(ledger.links("accounts", Side.SWEO, ["c1"])) == 1
    with pytest.raises(FatalError, match="read-only"):
        Writer(ledger).open_link("accounts", "x", "y", "r")
    ledger.close()


# a full disk


def revisits(number: int) -> Commit:
    rows = [RevisitRow("to_sweo", "accounts", f"{n}" * 40, "moved") for n in range(number)]
    return Commit("to_sweo", "accounts", "r", revisits=rows)


def test_a_full_disk_stops_a_commit_whole(made: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{made}")

    @event.listens_for(ledger.engine, "begin")
    def _fill(connection: object) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

    with pytest.raises(FatalError, match=r"full.*free disk space.*nothing was lost"):
        Writer(ledger).commit(revisits(2_000))
    assert ledger.revisits("to_sweo", "accounts") == []
    event.remove(ledger.engine, "begin", _fill)
    ledger.close()
    again = Ledger.open(f"sqlite:///{made}")
    assert Writer(again).commit(revisits(10)) == []
    assert len(again.links("accounts", Side.SWEO, [f"c{n}" for n in range(30)])) == 30
    again.close()


WRITE = """
import resource, sys
from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger
from crosswalk.ledger.commit import Commit, RevisitRow, Writer
ledger = Ledger.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
rows = [RevisitRow("to_sweo", "accounts", f"{n}" * 40, "moved") for n in range(9_000)]
try:
    Writer(ledger).commit(Commit("to_sweo", "accounts", "r", revisits=rows))
except FatalError as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_bytes(made: Path) -> None:
    """The kernel refuses the bytes here, not SQLite."""
    said = subprocess.run(
        [sys.executable, "-c", WRITE, f"sqlite:///{made}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "free disk space and run again: nothing was lost" in said.stdout
    ledger = Ledger.open(f"sqlite:///{made}")
    assert ledger.revisits("to_sweo", "accounts") == []
    assert len(ledger.links("accounts", Side.SWEO, [f"c{n}" for n in range(30)])) == 30
    ledger.close()


# locks


def test_a_lock_that_is_not_given_back_is_no_reason_to_wait_for_ever(
    open_ledger: Callable[[], Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_engine, "_LOCK_TIMEOUT_MS", 200)
    holder, other = open_ledger(), open_ledger()
    with (
        holder.engine.begin(),
        pytest.raises(RetryLaterError, match="stayed locked by another process"),
    ):
        Writer(other).open_link("accounts", "001", "c1", "r")
    assert Writer(other).open_link("accounts", "001", "c1", "r") is not None


# PostgreSQL


def psql(url: str, statement: str) -> None:
    ledger = Ledger.open(url)
    with ledger.reader.connect() as connection:
        connection.exec_driver_sql(statement)
    ledger.close()


def test_a_server_that_is_not_there() -> None:
    said = refused("postgresql+psycopg://u:secret@127.0.0.1:1/d", RetryLaterError)
    assert "cannot be reached" in said
    assert "secret" not in said


def test_a_database_that_is_not_there() -> None:
    url = make_url(empty_ledger_url()).set(database="nobody_made_it")
    said = refused(url.render_as_string(hide_password=False))
    assert "check the host, user, password and database in SWEO_LEDGER_URL" in said


def test_a_standby_takes_no_ledger() -> None:
    url = make_url(empty_ledger_url())
    options = f"{url.query['options']} -cdefault_transaction_read_only=on"
    url = url.update_query_dict({"options": options})
    assert "point SWEO_LEDGER_URL at the primary" in refused(
        url.render_as_string(hide_password=False)
    )


def test_a_user_without_rights() -> None:
    url = empty_ledger_url()
    psql(url, "DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")
    stranger = make_url(url).set(username="stranger").render_as_string(hide_password=False)
    assert "grant it CREATE and USAGE" in refused(stranger)


def test_a_server_that_goes_away_in_a_transaction() -> None:
    url = empty_ledger_url()
    ledger = Ledger.open(url)
    with (  # noqa: PT012 - the connection is lost between the two statements
        pytest.raises(RetryLaterError, match="cannot be reached"),
        translated_errors(),
        ledger.engine.begin() as connection,
    ):
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        psql(url, f"SELECT pg_terminate_backend({pid})")
        connection.exec_driver_sql("SELECT 1")
    assert Writer(ledger).open_link("accounts", "001", "c1", "r") is not None
    ledger.close()


def test_an_idle_connection_that_was_cut_is_replaced_without_a_word() -> None:
    url = empty_ledger_url()
    ledger = Ledger.open(url)
    with ledger.reader.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    psql(url, f"SELECT pg_terminate_backend({pid})")
    assert ledger.paused() == set()
    ledger.close()


def test_the_servers_clock_is_the_one_that_all_machines_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This machine's clock is two hours wrong; the lease of another machine must not expire."""
    from datetime import timedelta

    from crosswalk.ledger import clock as ledger_clock

    url = empty_ledger_url()
    right = ledger_clock.system_clock
    monkeypatch.setattr(ledger_engine, "system_clock", lambda: right() + timedelta(hours=2))
    ledger = Ledger.open(url)
    assert abs(ledger.clock() - right()) < timedelta(minutes=1)
    ledger.close()


def test_isolation_does_not_hang_on_the_servers_default() -> None:
    url = make_url(empty_ledger_url())
    options = f"{url.query['options']} -cdefault_transaction_isolation=serializable"
    spelled = url.update_query_dict({"options": options}).render_as_string(hide_password=False)
    first, second = Ledger.open(spelled), Ledger.open(spelled)
    together = threading.Barrier(2)
    outcomes: list[object] = []

    def meet(own: Ledger) -> None:
        together.wait(10)
        outcomes.append(Writer(own).open_link("accounts", "001", f"c{id(own)}", "r"))

    threads = [threading.Thread(target=meet, args=(own,)) for own in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome is None for outcome in outcomes) == [False, True]
    first.close()
    second.close()


def test_a_ledger_that_is_opened_twice_in_one_process_loses_no_write_to_another(
    tmp_path: Path,
) -> None:
    """POSIX drops every lock of a process on a file as soon as it closes any descriptor of it."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(url)
    ledger.remember("a", "1")
    second = Ledger.open(url)
    second.close()
    look = "import sys; from crosswalk.ledger import Ledger; l = Ledger.open(sys.argv[1]); {}"
    for what in ("l.close()", "print(l.remembered('b')); l.close()"):
        told = subprocess.run(
            [sys.executable, "-c", look.format(what), url],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        ledger.remember("b", "2")
    assert told.stdout.strip() == "2"
    ledger.close()
