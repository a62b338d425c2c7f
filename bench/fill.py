"""Fills a ledger with agreed pairs: target-sweo, on a workspace that answers at once.

Everything but the creates themselves is the product's own: types and attributes come from the
workspace, the pairs are committed by the same code as in any run.

    python -m bench.fill --config target-sweo.json < mapped-lines
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crosswalk.mapping import Mapping
from singer_runtime.destination import Candidate, Creation, Outcome, Result
from sweo_client import SweoClient, SweoSettings
from target_sweo.sinks import SweoDestination
from target_sweo.target import TargetSweo


class _Instant(SweoDestination):
    def find(self, mapping: Mapping, creations: Sequence[Creation]) -> dict[str, list[Candidate]]:
        return {}

    def keys(self, mapping: Mapping) -> Iterator[Candidate]:
        return iter(())

    def create(self, mapping: Mapping, creations: Sequence[Creation]) -> list[Outcome]:
        return [Outcome(Result.CREATED, id=f"made-{each.source_id}") for each in creations]


class Filler(TargetSweo):
    """A target-sweo whose creates never leave this process."""

    def make_destination(self) -> SweoDestination:
        return _Instant(
            SweoClient(SweoSettings.from_config(self.config)),
            max_concurrency=1,
            logger=self.logger,
        )


if __name__ == "__main__":
    Filler.cli()
