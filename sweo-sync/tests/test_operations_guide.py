"""What the operations guide shows is what the commands print, with the ledger of these tests."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from sweo_sync.cli import main

GUIDE = Path(__file__).parents[2] / "docs" / "operations.md"
NEEDS_BOTH_SIDES = ("check", "adopt")
"""The ledger of these tests has no org beside it."""
BLOCKS = [
    [tuple(each.split("\n", 1)) for each in re.split(r"^\$ sweo-sync ", block, flags=re.M)[1:]]
    for block in re.findall(r"```\n(\$ sweo-sync .*?)```", GUIDE.read_text(), re.DOTALL)
]
SHOWN = [block for block in BLOCKS if not block[0][0].startswith(NEEDS_BOTH_SIDES)]


def told(text: str) -> list[str]:
    """Its words; times, ages and rules between table rows are of no account."""
    text = re.sub(r"\d{4}-\d\d-\d\d\s\d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"\b\d+ s\b", "AGE", text).replace("[red]", "")
    return [word for word in text.split() if set(word) != {"─"}]


def test_the_guide_shows_something():
    assert len(SHOWN) > 10


@pytest.mark.parametrize("block", SHOWN, ids=[block[0][0] for block in SHOWN])
def test_a_command_prints_what_the_guide_shows(desk, block):
    for command, output in block:
        result = CliRunner().invoke(main, shlex.split(command), env=desk.environ)
        assert result.exit_code == 0, result.output
        assert told(result.output) == told(output)
