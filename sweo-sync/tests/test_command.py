from __future__ import annotations

from pathlib import Path

import pytest
from sweo_sync.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.parametrize("name", list(main.commands))
def test_every_command_is_documented(name):
    assert f"sweo-sync {name}" in README


@pytest.mark.parametrize("name", list(main.commands))
def test_every_option_is_documented(name):
    options = {
        option
        for parameter in main.commands[name].params
        for option in parameter.opts
        if option.startswith("--")
    }
    section = README.split(f"### {name}\n")[1].split("\n### ")[0]
    shared = {"--ledger", "--mapping-file", "--json"}
    assert options >= shared
    assert {option for option in options - shared if f"{option}" not in section} == set()


def test_every_command_explains_itself(desk):
    for name in main.commands:
        told = desk.run(name, "--help").output
        assert "--json" in told
        assert len(told.splitlines()) > 6


def test_a_mistyped_command_is_a_usage_error(desk):
    desk.run("statsu", exit_code=2)
