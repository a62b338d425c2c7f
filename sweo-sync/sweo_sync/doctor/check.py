"""How a check is carried out: on its own, so that none hides another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from crosswalk.errors import SyncError
from crosswalk.mapping import Mapping

from sweo_sync.doctor.finding import Finding, Level, UnavailableError
from sweo_sync.doctor.visit import Visit


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the whole set-up. ``look`` yields what it finds."""

    title: str
    look: Callable[[Visit], Iterator[Finding]]

    def findings(self, visit: Visit) -> Iterator[Finding]:
        """What is found; trouble on the way is a finding too."""
        yield from _guarded(self.title, None, lambda: self.look(visit))


@dataclass(frozen=True, slots=True)
class MappingCheck:
    """One look at each mapping that is switched on."""

    title: str
    look: Callable[[Visit, Mapping], Iterator[Finding]]

    def findings(self, visit: Visit) -> Iterator[Finding]:
        """As ``Check.findings``, mapping by mapping."""
        for mapping in visit.mappings:
            yield from _guarded(self.title, mapping.name, partial(self.look, visit, mapping))


def examine(visit: Visit, checks: Sequence[Check | MappingCheck]) -> list[Finding]:
    """Carry out every check, in order."""
    return [finding for check in checks for finding in check.findings(visit)]


def _guarded(
    title: str, mapping: str | None, look: Callable[[], Iterator[Finding]]
) -> Iterator[Finding]:
    try:
        yield from look()
    except UnavailableError as missing:
        yield Finding(title, Level.SKIPPED, str(missing), mapping=mapping)
    except SyncError as error:
        yield Finding(title, Level.FAILURE, str(error), mapping=mapping)
