"""What every command shares: its options, and how it ends when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

import click
from crosswalk.errors import SyncError
from crosswalk.ledger.clock import later, parse_stamp, stamp

from sweo_sync.project import Project

Command = TypeVar("Command", bound=Callable[..., object])
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class OneSentence(click.Group):
    """Our own errors end a command with one sentence on stderr and exit code 1. Commands are
    listed in the order they were added.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SyncError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names."""
        del ctx
        return list(self.commands)


org_option = click.option(
    "--org",
    metavar="NAME",
    help="The org that SALESFORCE_* opens, as the mappings name it. Default: the primary one.",
)
"""Which org's mappings are looked at; the function gets ``org``."""


def shared_options(command: Command) -> Command:
    """Add --ledger, --mapping-file and --json; the function gets ``project`` and ``as_json``."""

    @click.option(
        "--ledger",
        "ledger_url",
        envvar="SWEO_SYNC_LEDGER_URL",
        metavar="URL",
        help="SQLAlchemy URL of the ledger. Default: SWEO_LEDGER_URL, then the Meltano project's.",
    )
    @click.option(
        "--mapping-file",
        envvar="SWEO_SYNC_MAPPING_FILE",
        metavar="FILE",
        help="YAML file of the field configs. Default: the Meltano project's meltano.yml.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
    @wraps(command)
    def with_project(
        *args: Any, ledger_url: str | None, mapping_file: str | None, **kwargs: Any
    ) -> object:
        return command(*args, project=Project(ledger_url, mapping_file), **kwargs)

    return with_project  # type: ignore[return-value]


def since(text: str | None, now: datetime) -> str | None:
    """A stamp of ours out of ``2h``, ``3d`` or an ISO 8601 date or time (UTC where it has no
    offset).

    Raises:
        click.BadParameter: it is neither.
    """
    if not text:
        return None
    count, unit = text[:-1], text[-1:].lower()
    if count.isdigit() and unit in _SECONDS:
        return stamp(now - timedelta(seconds=int(count) * _SECONDS[unit]))
    try:
        moment = parse_stamp(text)
    except ValueError:
        raise click.BadParameter(
            "write an age such as 30m, 2h or 3d, or a time such as 2026-01-31T08:00",
            param_hint="--since",
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return later(moment, 0)
