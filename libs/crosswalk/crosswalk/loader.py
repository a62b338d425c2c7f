"""Where the field configs come from.

They stand in ``annotations.sweo`` of ``meltano.yml``, in a file that ``mapping_file`` names
(the same place, or ``mappings:`` at its top), or inline in the setting ``mappings``.
Meltano neither expands, merges per environment nor passes on its annotations; this module reads
the file itself, and of the environment it honours ``MELTANO_PROJECT_ROOT``,
``MELTANO_ENVIRONMENT`` and ``SWEO_LEDGER_URL``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping as MappingOf, Sequence
from pathlib import Path
from string import Template

from crosswalk.declaration.across import check_across
from crosswalk.declaration.entry import MappingReader
from crosswalk.declaration.nodes import line_of
from crosswalk.errors import FatalError
from crosswalk.mapping import Config, Mapping
from crosswalk.problems import Problems, one_of

_TOP_KEYS = ("mappings", "ledger")


def load_config(
    mapping_file: str | None = None,
    mappings: Sequence[object] | None = None,
    environ: MappingOf[str, str] | None = None,
) -> Config:
    """Read and check the field configs.

    Without ``mapping_file`` and ``mappings`` the file is ``$MELTANO_PROJECT_ROOT/meltano.yml``;
    where that, or ``annotations.sweo`` in it, is absent the result has no mappings. With
    ``mappings`` the file only serves for the ledger's address.

    Raises:
        MappingErrors: with every mistake of shape in the text, by file and line.
        FatalError: a named file cannot be read.
    """
    env = os.environ if environ is None else environ
    root = env.get("MELTANO_PROJECT_ROOT")
    path = _path(mapping_file, root)
    problems = Problems(str(path) if path else None)
    section = _section(path, mapping_file is not None, problems) if path else {}
    for key in section:
        if key not in _TOP_KEYS:
            problems.add(
                f"unknown setting {key}", one_of(key, _TOP_KEYS), line=line_of(section, key)
            )
    ledger_url = _ledger_url(section, root, env, problems)

    inline = Problems()
    if mappings is not None:
        read = _mappings(list(mappings), inline)
    else:
        read = _declared(section, problems, needed=mapping_file is not None)
    problems.mistakes += inline.mistakes
    problems.raise_any()
    return Config(
        mappings=read,
        ledger_url=ledger_url,
        file=str(path) if path and mappings is None else None,
    )


def _path(mapping_file: str | None, root: str | None) -> Path | None:
    if mapping_file is not None:
        path = Path(mapping_file)
        if not path.is_absolute() and root and not path.exists():
            path = Path(root) / path
        return path
    if root is None:
        return None
    path = Path(root) / "meltano.yml"
    return path if path.exists() else None


def _section(path: Path, named: bool, problems: Problems) -> MappingOf[object, object]:
    document = _document(path, problems)
    problems.raise_any()
    if document is None:
        document = {}
    if isinstance(document, MappingOf):
        annotations = document.get("annotations")
        if isinstance(annotations, MappingOf) and "sweo" in annotations:
            section = annotations["sweo"]
            if isinstance(section, MappingOf):
                return section
            problems.add("annotations.sweo is not a map", line=line_of(annotations, "sweo"))
            return {}
        if named and "mappings" in document:
            return {key: document[key] for key in _TOP_KEYS if key in document}
    if named:
        problems.add("no field configs", "they stand in annotations.sweo or in mappings at the top")
        problems.raise_any()
    return {}


def _document(path: Path, problems: Problems) -> object:
    # About a tenth of a second, which a plugin with inline mappings need not wait for.
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        document: object = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FatalError(
            f"The file of the field configs {path} cannot be read ({error.strerror}); "
            "see the setting mapping_file."
        ) from None
    except UnicodeDecodeError:
        problems.add("the file is not UTF-8 text")
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problems.add("a key stands twice in one map", "keep one", line=line)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(f"not YAML: {error.problem or error.context}", line=mark and mark.line + 1)
    except YAMLError:
        problems.add("not YAML")
    else:
        return document
    return None


def _declared(
    section: MappingOf[object, object], problems: Problems, *, needed: bool
) -> tuple[Mapping, ...]:
    declared = section.get("mappings")
    if isinstance(declared, list):
        return _mappings(declared, problems)
    if declared is not None or (needed and not problems.mistakes):
        problems.add(
            "mappings is not a list" if declared is not None else "no mappings",
            "mappings is a list with one entry for each kind of record",
            line=line_of(section, "mappings"),
        )
    return ()


def _mappings(declared: list[object], problems: Problems) -> tuple[Mapping, ...]:
    found: list[Mapping] = []
    names: dict[str, int | None] = {}
    for index, node in enumerate(declared):
        line = line_of(declared, index)
        mapping = MappingReader(node, line, index + 1, problems).read()
        name = node.get("name") if isinstance(node, MappingOf) else None
        if isinstance(name, str):
            if name in names:
                first = f" (line {names[name]})" if names[name] else ""
                problems.add(
                    f"two mappings are called {name}{first}",
                    "each has a name of its own",
                    line=line,
                    mapping=name,
                )
            names.setdefault(str(name), line)
        if mapping is not None:
            found.append(mapping)
    check_across(found, names, problems)
    return tuple(found)


def _ledger_url(
    section: MappingOf[object, object],
    root: str | None,
    env: MappingOf[str, str],
    problems: Problems,
) -> str | None:
    if env.get("SWEO_LEDGER_URL"):
        return env["SWEO_LEDGER_URL"]
    declared = section.get("ledger")
    if declared is not None:
        # The address may carry a password, so no message repeats it.
        if isinstance(declared, str) and "://" in declared:
            return Template(declared).safe_substitute(env)
        problems.add(
            "ledger is not a database URL",
            "it is such as sqlite:///$MELTANO_PROJECT_ROOT/ledger/prod.db",
            line=line_of(section, "ledger"),
        )
        return None
    if root is None:
        return None
    environment = env.get("MELTANO_ENVIRONMENT") or "default"
    return f"sqlite:///{root}/ledger/{environment}.db"
