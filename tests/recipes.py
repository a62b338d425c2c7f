"""The field configs that the recipes show, and the operator's command beside them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from pipelines import Pipelines
from ruamel.yaml import YAML
from sweo_sync.cli import main

RECIPES = sorted((Path(__file__).parent.parent / "docs" / "recipes").glob("[0-9]*.md"))


def configs(text: str) -> list[dict[str, Any]]:
    """The field configs that a page shows."""
    shown = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return [mapping for block in shown for mapping in YAML(typ="safe").load(block)]


def recipe(number: str) -> list[dict[str, Any]]:
    page = next(page for page in RECIPES if page.name.startswith(number))
    return configs(page.read_text(encoding="utf-8"))


def command(pipelines: Pipelines, *args: str, exit_code: int = 0, **variables: str) -> Any:
    """What `sweo-sync` says as JSON, or as its sentence on stderr, with the project's field configs
    and both sides at hand.
    """
    file = pipelines.folder / "recipe.yml"
    with file.open("w") as out:
        YAML().dump({"mappings": pipelines.mappings}, out)
    environ = {
        **dict.fromkeys(("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT")),
        **pipelines.sandbox.env(),
        "SWEO_LEDGER_URL": pipelines.ledger_url,
        "SWEO_SYNC_MAPPING_FILE": str(file),
        **variables,
    }
    result = CliRunner().invoke(main, [*args, "--json"], env=environ)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout) if result.stdout else result.stderr.strip()
