"""What the guides say exists, exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from crosswalk import loader
from crosswalk.declaration import entry, fields
from crosswalk.loader import load_config
from ruamel.yaml import YAML
from sweo_sync.cli import main as sweo_sync

ROOT = Path(__file__).parent.parent
GUIDES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
PROJECT = YAML(typ="safe").load(ROOT / "meltano.yml")


def named(guide: Path) -> str:
    return str(guide.relative_to(ROOT))


@pytest.mark.parametrize("guide", GUIDES, ids=named)
def test_every_link_leads_somewhere(guide: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", guide.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    missing = [link for link in local if not (guide.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("guide", GUIDES, ids=named)
def test_every_command_exists(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets
    jobs = {job["name"] for job in PROJECT["jobs"]}
    assert set(re.findall(r"meltano run ([a-z-]+)", text)) <= jobs
    assert set(re.findall(r"invoke sweo-sync ([a-z-]+)", text)) <= set(sweo_sync.commands)


def test_every_make_target_is_in_the_contributors_guide() -> None:
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing = [
        name for name in targets if name not in ("help", "clean") if f"make {name}" not in guide
    ]
    assert not missing


def test_every_variable_that_is_exported_is_read() -> None:
    read = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    own = {"MELTANO_ENVIRONMENT", "MELTANO_RUN_FORCE", "SWEO_LEDGER_URL"}
    for guide in GUIDES:
        exported = set(re.findall(r"([A-Z]+_[A-Z_]+)=", guide.read_text(encoding="utf-8")))
        assert {name for name in exported - own if f"${name}" not in read} == set(), guide


def test_the_field_configs_that_are_shown_can_be_loaded(tmp_path: Path) -> None:
    shown = re.findall(
        r"```yaml\n(.*?)```", "".join(g.read_text(encoding="utf-8") for g in GUIDES), re.DOTALL
    )
    examples = [text for text in shown if "fields:" in text]
    assert examples
    for number, text in enumerate(examples):
        file = tmp_path / f"{number}.yml"
        whole = text if text.startswith("annotations:") else f"mappings:\n{text}"
        file.write_text(whole, encoding="utf-8")
        assert load_config(mapping_file=str(file), environ={}).mappings


def test_every_key_of_the_field_configs_is_documented() -> None:
    page = (ROOT / "docs" / "field-configs.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    assert documented == {*entry._KEYS, *fields._KEYS, *loader._TOP_KEYS}
