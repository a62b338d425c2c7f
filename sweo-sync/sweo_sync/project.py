"""What a command works on: the project's field configs and its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger
from crosswalk.ledger.report import known_mappings
from crosswalk.loader import load_config
from crosswalk.mapping import Config
from crosswalk.problems import one_of
from salesforce_client.ids import is_record_id, to_18
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


@dataclass
class Project:
    """The options that every command shares."""

    ledger_url: str | None = None
    mapping_file: str | None = None

    @cached_property
    def config(self) -> Config:
        """The field configs.

        Raises:
            MappingErrors: with every mistake of shape.
        """
        return load_config(mapping_file=self.mapping_file)

    def config_of(self, org: str | None) -> Config:
        """The field configs of the org that ``SALESFORCE_*`` opens; None is the primary one.

        Raises:
            MappingErrors: as above.
            FatalError: no mapping is of that org.
        """
        names = list(self.config.orgs)
        if org is not None and org not in names:
            hint = one_of(org, names) if names else "none names an org"
            raise FatalError(f"No mapping is of the org {org}; {hint}.")
        return self.config.of_org(org)

    @property
    def declared(self) -> tuple[str, ...]:
        """The names of the declared mappings; none where only a ledger was named."""
        if self.ledger_url and not self.mapping_file:
            return ()
        return tuple(mapping.name for mapping in self.config.mappings)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, which must be there.

        Raises:
            FatalError: there is none, or it cannot be used.
        """
        url = self.ledger_url or self.config.ledger_url
        if url is None:
            raise FatalError(
                "There is no place for the ledger; run `meltano invoke sweo-sync`, or name it by "
                "--ledger or SWEO_LEDGER_URL."
            )
        ledger = Ledger.open_existing(url)
        if ledger is None:
            raise FatalError(
                f"There is no ledger at {_shown(url)} yet; the first run of a pipeline makes it."
            )
        try:
            yield ledger
        finally:
            ledger.close()

    def known(self, ledger: Ledger, mapping: str) -> str:
        """The same name, once it is sure that there is such a mapping.

        Raises:
            FatalError: neither the field configs nor the ledger know it.
        """
        names = list(dict.fromkeys([*self.declared, *known_mappings(ledger)]))
        if mapping not in names:
            hint = one_of(mapping, names) if names else "the ledger knows none yet"
            raise FatalError(f"There is no mapping {mapping}; {hint}.")
        return mapping


def record_ids(text: str | None) -> tuple[str, ...]:
    """The ids that a person may have meant: Salesforce's short form has a long one too."""
    if not text:
        return ()
    wanted = text.strip()
    if len(wanted) == 15 and is_record_id(wanted):
        return (wanted, to_18(wanted))
    return (wanted,)


def _shown(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "that address"
