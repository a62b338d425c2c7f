"""The command `doctor`."""

from __future__ import annotations

from typing import Final

import click
from crosswalk.mapping import Config
from crosswalk.problems import MappingErrors

from sweo_sync.doctor import (
    access,
    activity,
    automation,
    fields,
    identity,
    keys,
    permissions,
    timeline,
)
from sweo_sync.doctor.check import Check, MappingCheck, examine
from sweo_sync.doctor.finding import Finding, Level, cause_of, exit_code_of
from sweo_sync.doctor.visit import Visit
from sweo_sync.options import org_option, shared_options
from sweo_sync.project import Project
from sweo_sync.show import console, emit

CONFIGS: Final = "field configs"
CHECKS: Final[tuple[Check | MappingCheck, ...]] = (
    Check(access.LOGINS, access.look_at_logins),
    Check(access.API, access.look_at_salesforce_limits),
    Check(access.API, access.look_at_sweo_limits),
    Check(access.CLOCKS, access.look_at_clocks),
    MappingCheck(permissions.PERMISSIONS, permissions.look_at_permissions),
    Check(activity.COMPANIES, activity.look_at_companies),
    MappingCheck(activity.SWEO_RECORDS, activity.look_at_sweo_records),
    MappingCheck(activity.SALESFORCE_RECORDS, activity.look_at_salesforce_records),
    MappingCheck(keys.KEYS, keys.look_at_keys),
    MappingCheck(identity.IDENTITY, identity.look_at_identity),
    MappingCheck(fields.ATTRIBUTES, fields.look_at_attributes),
    MappingCheck(fields.TYPES, fields.look_at_types),
    MappingCheck(fields.AMOUNTS, fields.look_at_amounts),
    MappingCheck(fields.FORMULAS, fields.look_at_formulas),
    MappingCheck(timeline.EVENTS, timeline.look_at_events),
    MappingCheck(automation.AUTOMATION, automation.look_at_automation),
)
_SIGNS: Final = {
    Level.OK: ("✓", "green"),
    Level.SKIPPED: ("-", "dim"),
    Level.WARNING: ("!", "yellow"),
    Level.FAILURE: ("✗", "red"),
}


@click.command()
@org_option
@shared_options
def doctor(project: Project, as_json: bool, org: str | None) -> None:
    """Look over the whole set-up and say for each thing what was found and what to do.

    What to see to first is named first: an earlier trouble explains later ones. Both sides are
    asked (at most 40 API calls, samples only) and nothing is written. Exits 0 when all is well, 1
    with warnings, 2 with failures.
    """
    findings, config = _read_configs(project, org)
    visit = Visit(config, project)
    try:
        findings += examine(visit, CHECKS)
        calls = visit.calls
    finally:
        visit.close()
    if as_json:
        emit(
            {
                "exit_code": exit_code_of(findings),
                "cause": cause_of(findings),
                "calls": calls,
                "findings": findings,
            }
        )
    else:
        _print(findings, calls)
    click.get_current_context().exit(exit_code_of(findings))


def _read_configs(project: Project, org: str | None) -> tuple[list[Finding], Config]:
    try:
        config = project.config_of(org)
    except MappingErrors as errors:
        return [
            Finding(CONFIGS, Level.FAILURE, str(mistake), "correct the line", mistake.mapping)
            for mistake in errors.mistakes
        ], Config(())
    if not config.enabled:
        return [
            Finding(
                CONFIGS,
                Level.FAILURE,
                "No mapping is declared and switched on.",
                "declare one in annotations.sweo.mappings of meltano.yml",
            )
        ], config
    names = ", ".join(mapping.name for mapping in config.enabled)
    return [Finding(CONFIGS, Level.OK, f"The field configs of {names} are in order.")], config


def _print(findings: list[Finding], calls: int) -> None:
    out = console()
    cause = cause_of(findings)
    if cause is not None:
        out.print("First of all", style="bold")
        _print_one(cause)
        out.print("Everything", style="bold")
    for finding in findings:
        _print_one(finding)
    failures = sum(finding.level is Level.FAILURE for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    verdict = (
        "All is well" if not failures + warnings else f"{failures} failures, {warnings} warnings"
    )
    out.print(f"{verdict}; {calls} API calls.")


def _print_one(finding: Finding) -> None:
    out = console()
    sign, style = _SIGNS[finding.level]
    about = f"{finding.check} ({finding.mapping})" if finding.mapping else finding.check
    out.print(sign, style=style, end=" ")
    out.print(f"{about}: {finding.found}", soft_wrap=True)
    if finding.todo and finding.level is not Level.OK:
        out.print(f"    to do: {finding.todo}", soft_wrap=True)
    for line in finding.paste:
        out.print(f"      {line}", soft_wrap=True)
    if finding.examples:
        out.print(f"    for example {', '.join(finding.examples)}", soft_wrap=True)
