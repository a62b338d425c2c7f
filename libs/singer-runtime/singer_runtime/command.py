"""The command line that all plugins share: one sentence and exit code 1 instead of a traceback."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import click
from crosswalk.errors import SyncError
from crosswalk.loader import load_config
from singer_sdk import typing as th
from singer_sdk.plugin_base import SingerCommand

if t.TYPE_CHECKING:
    from collections.abc import Mapping as MappingOf

    from crosswalk.mapping import Config

MAPPING_SETTINGS: t.Final = (
    th.Property(
        "mapping_file",
        th.StringType,
        title="Mapping file",
        description="The YAML file that holds the field configs. Default: the meltano.yml of "
        "the Meltano project.",
    ),
    th.Property(
        "mappings",
        th.ArrayType(th.ObjectType(additional_properties=True)),
        title="Mappings",
        description="The field configs themselves, in the shape of `annotations.sweo.mappings`, "
        "for use without Meltano.",
    ),
    th.Property(
        "ledger_url",
        th.StringType,
        title="Ledger",
        secret=True,
        description="SQLAlchemy URL of the ledger. Default: `SWEO_LEDGER_URL`, then "
        "`annotations.sweo.ledger`, then `ledger/<environment>.db` in the Meltano project. All "
        "plugins of a project must use the same one.",
    ),
)
"""The settings by which every plugin finds the field configs and the ledger."""


def read_config(settings: MappingOf[str, t.Any]) -> Config:
    """Load the field configs that a plugin's settings name.

    Raises:
        FatalError: with every mistake of shape, each with its place.
    """
    config = load_config(
        mapping_file=settings.get("mapping_file"), mappings=settings.get("mappings")
    )
    ledger_url = settings.get("ledger_url")
    return replace(config, ledger_url=ledger_url) if ledger_url else config


class SyncCommand(SingerCommand):
    """A plugin's command: our own errors end it with one sentence on stderr and exit code 1."""

    def invoke(self, ctx: click.Context) -> t.Any:
        """Run the plugin."""
        try:
            return super().invoke(ctx)
        except SyncError as error:
            self.logger.error("%s", error)  # noqa: TRY400 - a person reads this, not a debugger
            ctx.exit(1)

    @classmethod
    def taking_over(cls, command: click.Command, callback: t.Callable[..., t.Any]) -> SyncCommand:
        """The same command as ``command`` with our way of ending it."""
        assert isinstance(command, SingerCommand)  # noqa: S101 - the SDK makes no other kind
        return cls(
            name=command.name,
            callback=callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=command.logger,
        )
