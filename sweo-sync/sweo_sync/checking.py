"""Every mistake in the field configs at once: `check`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click
from crosswalk.errors import FatalError, SyncError
from crosswalk.mapping import Config
from crosswalk.problems import MappingErrors, Mistake

from sweo_sync.credentials import salesforce_connection, sweo_client
from sweo_sync.meeting import Checked, check_sides
from sweo_sync.options import org_option, shared_options
from sweo_sync.project import Project
from sweo_sync.show import console, emit, table
from sweo_sync.sides import Org, Workspace, read_org, read_workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether a side was asked: ``checked``, ``not checked`` (no credentials) or ``failed``."""

    state: str
    why: str | None = None


@click.command()
@click.option("--offline", is_flag=True, help="Read the field configs only; call neither side.")
@org_option
@shared_options
def check(project: Project, as_json: bool, offline: bool, org: str | None) -> None:
    """Every mistake in the field configs at once; nothing is written anywhere.

    With credentials in SALESFORCE_* and SWEO_* both sides are asked too: fields that do not exist
    or are hidden, fields that cannot be written, types that cannot meet. Exits 1 where something
    is wrong.
    """
    try:
        config = project.config_of(org)
    except MappingErrors as errors:
        _finish(as_json, Checked(list(errors.mistakes), []), {}, count=0)
        return
    if not config.mappings:
        raise FatalError(
            "There are no mappings; they stand in annotations.sweo.mappings of meltano.yml, or in "
            "the file that --mapping-file names."
        )
    described, workspace, asked = _ask(config, offline=offline)
    for other in project.config.orgs:
        if other != org:
            asked[f"the org {other}"] = Asked("not checked", f"--org {other} and its SALESFORCE_*")
    checked = check_sides(config.enabled, described, workspace, config.file)
    _finish(as_json, checked, asked, count=len(config.enabled))


def _ask(config: Config, *, offline: bool) -> tuple[Org | None, Workspace | None, dict[str, Asked]]:
    unasked = Asked("not checked", "--offline")
    if offline:
        return None, None, {"salesforce": unasked, "sweo": unasked}

    def of_org() -> Org | None:
        connection = salesforce_connection(os.environ)
        return read_org(connection, config.enabled) if connection else None

    def of_workspace() -> Workspace | None:
        client = sweo_client(os.environ)
        if client is None:
            return None
        try:
            return read_workspace(client, config.enabled)
        finally:
            client.close()

    org, salesforce = _asked(of_org, "SALESFORCE_CLIENT_ID or SALESFORCE_ACCESS_TOKEN")
    workspace, sweo = _asked(of_workspace, "SWEO_ACCESS_TOKEN")
    return org, workspace, {"salesforce": salesforce, "sweo": sweo}


def _asked(read: Callable[[], T | None], variable: str) -> tuple[T | None, Asked]:
    try:
        found = read()
    except SyncError as error:
        return None, Asked("failed", str(error))
    if found is None:
        return None, Asked("not checked", f"{variable} is not set")
    return found, Asked("checked")


def _finish(as_json: bool, checked: Checked, asked: dict[str, Asked], *, count: int) -> None:
    mistakes = sorted(checked.mistakes, key=lambda mistake: mistake.line or 0)
    is_wrong = bool(mistakes) or any(each.state == "failed" for each in asked.values())
    if as_json:
        emit({"ok": not is_wrong, "mistakes": mistakes, "sides": asked, "fields": checked.fields})
    else:
        _print(mistakes, checked, asked, count)
    if is_wrong:
        click.get_current_context().exit(1)


def _print(mistakes: list[Mistake], checked: Checked, asked: dict[str, Asked], count: int) -> None:
    if checked.fields and any(each.state == "checked" for each in asked.values()):
        table(
            "Fields",
            ("mapping", "Salesforce field", "type", "flows", "Sweo field", "type", "note"),
            [
                (
                    each.mapping,
                    each.salesforce,
                    each.salesforce_type or "?",
                    each.direction.value.replace("_", " "),
                    each.sweo,
                    each.sweo_type or "?",
                    each.note,
                )
                for each in checked.fields
            ],
        )
    for name, side in asked.items():
        if side.why:
            console().print(f"{name.capitalize()} {side.state}: {side.why}", soft_wrap=True)
    for mistake in mistakes:
        console().print(str(mistake), soft_wrap=True)
    if mistakes:
        plural = "" if len(mistakes) == 1 else "s"
        console().print(f"{len(mistakes)} mistake{plural}.")
    elif count:
        console().print(
            f"The field configs of {count} mapping{'' if count == 1 else 's'} are in order."
        )
