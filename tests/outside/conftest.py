"""Outside clients take minutes and a package index, so ``make test`` leaves them to
``make test-outside``, which sets ``OUTSIDE_CLIENTS``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sweo_sandbox.testing import Sandbox, running_sandbox

collect_ignore_glob = [] if os.environ.get("OUTSIDE_CLIENTS") else ["test_*.py"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running
