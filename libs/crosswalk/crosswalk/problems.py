"""Mistakes in the field configs: collected while they are read, raised once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from crosswalk.errors import FatalError


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in the field configs and, where it can be told, what would be right.

    ``line`` counts from 1; it is None for mappings that were given as a setting.
    """

    wrong: str
    right: str | None = None
    file: str | None = None
    line: int | None = None
    mapping: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        place = self.file or "the setting mappings"
        if self.line is not None:
            place = f"{place}:{self.line}"
        names = [
            f"{kind} {name}"
            for kind, name in (("mapping", self.mapping), ("field", self.field))
            if name
        ]
        where = f"{place}: {', '.join(names)}: " if names else f"{place}: "
        return where + self.wrong + (f"; {self.right}" if self.right else "")


class MappingErrors(FatalError):  # noqa: N818 - it holds many
    """Every mistake of shape in the field configs, one a line, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda m: m.line or 0))
        count = len(self.mistakes)
        head = f"The field configs have {count} mistake{'' if count == 1 else 's'}:"
        super().__init__("\n".join([head, *(f"  {mistake}" for mistake in self.mistakes)]))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, compared without case, or None."""
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def one_of(word: object, known: Iterable[str]) -> str:
    """What would be right in place of ``word``: the nearest known word, else all of them."""
    names = list(known)
    close = nearest(word, names) if isinstance(word, str) else None
    return f"did you mean {close}?" if close else f"it is one of {', '.join(names)}"


@dataclass(slots=True)
class Problems:
    """Collects mistakes with their place, so that a reader goes on to the next one."""

    file: str | None = None
    mistakes: list[Mistake] = field(default_factory=list)

    def add(
        self,
        wrong: str,
        right: str | None = None,
        *,
        line: int | None = None,
        mapping: str | None = None,
        field: str | None = None,
    ) -> None:
        """Note one mistake."""
        self.mistakes.append(
            Mistake(wrong, right, file=self.file, line=line, mapping=mapping, field=field)
        )

    def raise_any(self) -> None:
        """Raise ``MappingErrors`` if anything was noted."""
        if self.mistakes:
            raise MappingErrors(self.mistakes)
