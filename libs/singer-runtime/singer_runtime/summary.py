"""The last words of a run."""

from __future__ import annotations

from singer_runtime.context import RunContext

_WORDS = {
    "created": "made",
    "linked": "linked",
    "updated": "updated",
    "attached": "attached to their company",
    "recovered": "settled after a lost answer",
    "conflicts": "conflicts",
    "held": "fields held for a decision",
    "drifted": "values changed on the side that only receives them",
    "put_back": "of them put back",
    "quarantined": "put into quarantine",
    "waiting": "waiting for their other half",
    "left_out": "left out by a filter",
    "under_review": "pairs waiting for `sweo-sync review`",
    "duplicates": "duplicates left out",
    "without_key": "without a match value",
    "unlinked": "links ended",
    "events": "events put on timelines",
    "events_left_out": "events left out",
    "converted": "leads became contacts",
    "merged": "persons merged",
    "deferred": "put off to the next run",
}


def summary_of(run: RunContext, outcome: str, calls: int) -> str:
    """One sentence: what was read, what was written, what is left, and what it cost."""
    counts = run.counts.as_dict()
    parts = [f"{counts.get('read', 0):,} read", f"{counts.get('unchanged', 0):,} unchanged"]
    for name, words in _WORDS.items():
        if counts.get(name):
            parts.append(f"{counts[name]:,} {words}")
    if counts.get("fields"):
        parts.append(f"{counts['fields']:,} fields written")
    sentence = (
        f"Run {run.run_id} {run.direction} {outcome}: {', '.join(parts)}; {calls:,} API calls."
    )
    if counts.get("quarantined"):
        sentence += " `sweo-sync quarantine` tells why."
    return sentence
