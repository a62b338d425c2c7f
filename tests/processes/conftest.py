from __future__ import annotations

from collections.abc import Iterator

import pytest
from pipelines import Pipelines
from processes.pipe import Pipe


@pytest.fixture
def pipe(pipelines: Pipelines) -> Iterator[Pipe]:
    made = Pipe(pipelines)
    yield made
    made.stop()
