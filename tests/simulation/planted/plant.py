"""One planted bug: a small change of one module's source, made while it is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType


class RottenPlantError(Exception):
    """The code that a bug is planted into has changed; the plant must be written anew."""


@dataclass(frozen=True)
class Plant:
    """``old``, which stands once in the source of ``module``, becomes ``new``.

    ``breaks`` is the promise that is broken then. ``first`` and ``seeds`` are the range of lives
    of which at least one must end badly.
    """

    name: str
    module: str
    old: str
    new: str
    breaks: str
    first: int = 0
    seeds: int = 24

    def applied(self, source: str) -> str:
        """The source with the bug in it.

        Raises:
            RottenPlantError: ``old`` does not stand there exactly once.
        """
        times = source.count(self.old)
        if times != 1:
            raise RottenPlantError(
                f"The planted bug {self.name} expects its text once in {self.module}, and it "
                f"stands there {times} times."
            )
        return source.replace(self.old, self.new)


class _Loader(SourceFileLoader):
    def __init__(self, plant: Plant, path: str) -> None:
        super().__init__(plant.module, path)
        self._plant = plant

    def get_code(self, fullname: str) -> CodeType:
        # Compiled here each time: no cache may ever hold a planted bug.
        source = self._plant.applied(self.get_data(self.path).decode())
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._plant.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        spec.loader = _Loader(self._plant, spec.origin)
        return spec


def sow(plant: Plant) -> None:
    """Let this process import the planted code; nothing on disk changes.

    Raises:
        RottenPlantError: the module was imported before.
    """
    if plant.module in sys.modules:
        raise RottenPlantError(f"{plant.module} is imported already.")
    sys.meta_path.insert(0, _Finder(plant))
