"""The command `setup`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from crosswalk.errors import FatalError
from crosswalk.mapping import Config

from sweo_sync.credentials import salesforce_connection, sweo_client
from sweo_sync.options import org_option, shared_options
from sweo_sync.project import Project
from sweo_sync.setup.applying import TOKEN_VARIABLE, Applied, apply, setup_connection
from sweo_sync.setup.project import PERMISSION_SET, write_project
from sweo_sync.setup.rights import ObjectRight, Rights, rights_of
from sweo_sync.setup.room import refuse_beyond_limit
from sweo_sync.setup.wanted import WantedField, missing, wanted_fields
from sweo_sync.show import console, emit, table
from sweo_sync.sides import Org, Workspace, read_org, read_workspace

FOLDER: Final = "salesforce"


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the `sf` project is written. Default: salesforce, in the Meltano project.",
)
@click.option(
    "--apply",
    "applying",
    is_flag=True,
    help=f"Make the fields now, as the admin whose session is in {TOKEN_VARIABLE}.",
)
@click.option(
    "--assign",
    metavar="USERNAME",
    help=f"With --apply: the integration user, who gets the permission set {PERMISSION_SET}.",
)
@org_option
@shared_options
def setup(
    project: Project,
    as_json: bool,
    folder: Path | None,
    applying: bool,
    assign: str | None,
    org: str | None,
) -> None:
    """Make the Salesforce fields of Sweo attributes that have none, and the permission set.

    A line of the field configs that leaves `salesforce:` out gets a field of its own. The
    permission set Sweo_Sync grants the integration user what the mappings need and nothing more.
    Without --apply an `sf` project is written, to review and deploy; nothing is sent to
    Salesforce. Both are safe to repeat. Exits 1 where a field of that name has another type, or
    the object has no room for it.
    """
    if assign and not applying:
        raise click.UsageError("--assign goes with --apply.")
    config = project.config_of(org)
    workspace = _workspace(config)
    is_admin = applying or bool(os.environ.get(TOKEN_VARIABLE))
    connection = setup_connection(os.environ) if is_admin else salesforce_connection(os.environ)
    described = read_org(connection, config.enabled) if connection else None
    fields = wanted_fields(config, workspace, described)
    if connection:
        refuse_beyond_limit(connection, missing(fields))
    made = {each.permission for each in fields}
    rights = rights_of(config.enabled, described) if described else Rights()
    rights.fields = {name: edit for name, edit in rights.fields.items() if name not in made}
    done, files = Applied(), list[Path]()
    root = folder or Path(os.environ.get("MELTANO_PROJECT_ROOT") or ".") / FOLDER
    if applying:
        assert connection is not None  # noqa: S101 - setup_connection gives one
        done = apply(connection, fields, rights, assign)
    elif fields or rights.objects:
        files = write_project(root, fields, rights)
    unseen = _unseen_after(config, workspace, fields) if applying else []
    if as_json:
        emit(
            {
                "fields": fields,
                "rights": rights,
                "files": [str(path) for path in files],
                "done": done,
                "unseen_by_the_integration_user": unseen,
            }
        )
        return
    _print(fields)
    _print_rights(rights, described)
    if applying:
        _print_done(done, unseen)
    elif fields or rights.objects:
        _print_files(root, files)


def _workspace(config: Config) -> Workspace:
    client = sweo_client(os.environ)
    if client is None:
        raise FatalError("Sweo tells the types of the fields: set SWEO_ACCESS_TOKEN.")
    try:
        return read_workspace(client, config.enabled)
    finally:
        client.close()


def _unseen_after(config: Config, workspace: Workspace, fields: list[WantedField]) -> list[str]:
    """The fields that the integration user still may not write, where its login is at hand.

    Raises:
        MappingErrors: what was there, and hidden till now, has another type.
    """
    connection = salesforce_connection(os.environ)
    if connection is None or not fields:
        return []
    org: Org = read_org(connection, config.enabled)
    unseen = []
    for each in fields:
        held = org.described[each.sobject].field(each.name)
        if held is None or not held.writable:
            unseen.append(each.permission)
    wanted_fields(config, workspace, org)
    return unseen


def _print(fields: list[WantedField]) -> None:
    if not fields:
        console().print("No mapping needs a Salesforce field to be made.")
        return
    known = {True: "exists", False: "missing", None: "not asked"}
    table(
        "Fields",
        ("mapping", "Sweo attribute", "Salesforce field", "type", "in Salesforce"),
        [(f.mapping, f.attribute, f.full_name, f.type_name, known[f.exists]) for f in fields],
    )
    console().print(f"{len(missing(fields))} to make.")


def _print_rights(rights: Rights, org: Org | None) -> None:
    out = console()
    if org is None:
        out.print("Salesforce was not asked, so that the permission set has made fields only.")
        return
    for name in org.missing:
        out.print(
            f"{name} cannot be seen, so that its rights are left out; set {TOKEN_VARIABLE} and "
            "SALESFORCE_INSTANCE_URL to look as an admin.",
            soft_wrap=True,
        )
    table(
        f"Permission set {PERMISSION_SET}",
        ("object", "records", "fields to read", "of these to edit"),
        [
            (
                name,
                ", ".join(_allowed(right)),
                len(own := [n for n in rights.fields if n.startswith(f"{name}.")]),
                sum(rights.fields[n] for n in own),
            )
            for name, right in rights.objects.items()
        ],
    )


def _allowed(right: ObjectRight) -> list[str]:
    flags = {"edit": right.edit or right.delete, "create": right.create, "delete": right.delete}
    return ["read all", *(name for name, is_on in flags.items() if is_on)]


def _print_files(root: Path, files: list[Path]) -> None:
    out = console()
    for path in files:
        out.print(f"wrote {path}", soft_wrap=True)
    if not files:
        out.print("Every file is as it should be.")
    out.print(f"Review, then: cd {root} && sf project deploy start", soft_wrap=True)
    out.print(
        f"and give the integration user the permission set: sf org assign permset --name "
        f"{PERMISSION_SET} --on-behalf-of USERNAME",
        soft_wrap=True,
    )


def _print_done(done: Applied, unseen: list[str]) -> None:
    out = console()
    out.print(
        f"{len(done.made)} fields made; {len(done.objects)} objects and {len(done.granted)} fields "
        f"granted by {PERMISSION_SET}."
    )
    if done.assigned:
        out.print(f"{PERMISSION_SET} is assigned to the integration user.")
    if unseen:
        out.print(
            f"The integration user may not write {', '.join(unseen)} yet: assign it "
            f"{PERMISSION_SET} (run again with --assign USERNAME).",
            soft_wrap=True,
        )
