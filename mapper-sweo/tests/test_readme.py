from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from mapper_sweo.mapper import MapperSweo

README = Path(__file__).parents[1] / "README.md"


def test_the_settings_table_is_what_about_prints() -> None:
    about = CliRunner().invoke(MapperSweo.cli, ["--about", "--format", "markdown"])
    assert about.exit_code == 0
    table = about.output.split("## Settings\n\n")[1].split("\n\n")[0]
    assert table in README.read_text(encoding="utf-8")


def test_about_names_the_capabilities() -> None:
    about = CliRunner().invoke(MapperSweo.cli, ["--about", "--format", "json"])
    assert '"stream-maps"' not in about.output
    assert '"about"' in about.output
