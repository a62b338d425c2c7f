"""Whether records of both sides find each other, and by which fields they would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswalk.mapping import Mapping, Match, Normalise, Side
from sweo_client.fields import model_of

from sweo_sync.doctor.activity import plural_of
from sweo_sync.doctor.candidates import Sort, plausible_matches
from sweo_sync.doctor.finding import Finding, Level
from sweo_sync.doctor.keys import filled_keys, seen_matches, sweo_reader
from sweo_sync.doctor.trials import Trial, try_matches
from sweo_sync.doctor.visit import Visit

IDENTITY: Final = "identity mappings"
_FEW_SHARE: Final = 0.1
_WORTH_SHARE: Final = 0.2
_MOST_SUGGESTIONS: Final = 3
_SORTS: Final = {Normalise.EMAIL: Sort.EMAIL, Normalise.DOMAIN: Sort.SITE}


def look_at_identity(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Linked pairs, or else sampled records with a partner; where there is none, why, and by
    which fields there would be one.
    """
    pairs = visit.pairs.get(mapping.name, 0)
    if pairs:
        yield Finding(IDENTITY, Level.OK, f"{pairs:,} pairs are linked.", mapping=mapping.name)
        return
    visit.needs("salesforce")
    rows = visit.people(mapping.sweo).rows
    plural = plural_of(mapping.sweo)
    matches = seen_matches(visit, mapping)
    sample = visit.accounts.get(mapping.salesforce)
    if not rows or not sample or not sample.rows:
        empty = "Salesforce" if rows else "Sweo"
        yield Finding(
            IDENTITY, Level.SKIPPED, f"There is nothing to compare in {empty}.",
            mapping=mapping.name,
        )  # fmt: skip
        return
    declared = [
        (match, _SORTS.get(match.normalise, Sort.KEY))
        for match in matches
        if match.normalise is not Normalise.PHONE
    ]
    trials = _try(visit, mapping, declared)
    best = max(trials, key=lambda trial: trial.found, default=None)
    found, sampled = (best.found, best.sampled) if best else (0, len(rows))
    if found >= max(1, sampled * _FEW_SHARE):
        yield Finding(
            IDENTITY,
            Level.OK,
            f"{found} of {sampled} sampled {plural} have a partner; the first run links them.",
            mapping=mapping.name,
        )
        return
    yield _unmatched(visit, mapping, matches, found, sampled)


def _unmatched(
    visit: Visit, mapping: Mapping, matches: list[Match], found: int, sampled: int
) -> Finding:
    keyless = len(matches) < len(mapping.match) or any(
        filled_keys(visit, mapping, side)[0] == 0 for side in Side
    )
    suggestions, names = _suggest(visit, mapping)
    keys = " or ".join(f"{match.salesforce} = {match.sweo}" for match in mapping.match)
    told = f"{found or 'none'} of {sampled} sampled {plural_of(mapping.sweo)} have a partner by"
    told = f"{told[0].upper()}{told[1:]} {keys}."
    if suggestions:
        told += " But: " + "; ".join(trial.sentence() for trial in suggestions) + "."
        todo = f"put the first of these lines in place of `match` of {mapping.name}"
    elif names:
        told += (
            f" Names would agree for {names.unique} of {names.sampled} without legal forms and "
            "punctuation, which the pipelines compare too."
        )
        todo = "write the id of one side into a field of the other, and match by that"
    else:
        told += " No other pair of fields finds more."
        todo = "write the id of one side into a field of the other, and match by that"
    doubtful = Level.WARNING if found else Level.FAILURE
    level = Level.SKIPPED if keyless else doubtful
    best = suggestions[0] if suggestions else None
    return Finding(
        IDENTITY,
        level,
        told,
        todo,
        mapping.name,
        paste=tuple(_line(trial.match) for trial in suggestions),
        examples=best.examples if best else (),
    )


def _suggest(visit: Visit, mapping: Mapping) -> tuple[list[Trial], Trial | None]:
    """The best pairs, and names where only those come close."""
    description = visit.org.described[mapping.salesforce]
    model = model_of(mapping.sweo)
    types = visit.workspace.known[model].values()
    declared = {(match.salesforce.lower(), match.sweo) for match in mapping.match}
    trials = _try(visit, mapping, list(plausible_matches(description, types, model)))
    worth = sorted(
        (trial for trial in trials if trial.rate >= _WORTH_SHARE),
        key=lambda trial: (-trial.rate, trial.duplicates, _weakness(trial.match)),
    )
    named = next((trial for trial in worth if trial.by_normal_name), None)
    exact = [
        trial
        for trial in worth
        if not trial.by_normal_name
        and (trial.match.salesforce.lower(), trial.match.sweo) not in declared
    ]
    return exact[:_MOST_SUGGESTIONS], named


def _weakness(match: Match) -> int:
    """Ids stay what they are; sites change, and names change and repeat."""
    return 2 if match.salesforce == "Name" else int(match.normalise is Normalise.DOMAIN)


def _try(visit: Visit, mapping: Mapping, pairs: list[tuple[Match, Sort]]) -> list[Trial]:
    readers = {match.sweo: sweo_reader(visit, mapping, match.sweo) for match, _ in pairs}
    rows = visit.people(mapping.sweo).rows
    return try_matches(visit.connection, mapping.salesforce, rows, pairs, readers)


def _line(match: Match) -> str:
    how = "" if match.normalise is Normalise.EXACT else f", normalise: {match.normalise.value}"
    return f"match: {{salesforce: {match.salesforce}, sweo: {match.sweo}{how}}}"
