"""Which company an identity token of the Messenger names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crosswalk.values.references import id_18


@dataclass(frozen=True, slots=True)
class OrgAccount:
    """The account that a person belongs to in one Salesforce org.

    ``org`` is None for the primary org, else its name in the field configs. ``account_id`` is the
    record's id there, in its short or its long form; ``external_id`` is what the account carries
    in the field that the org's mapping matches by.
    """

    org: str | None
    account_id: str
    external_id: str | None = None


def company_id_for(accounts: Iterable[OrgAccount]) -> str | None:
    """``company.id`` of a person's identity token: the id of the account of the primary org, else
    the external id of an account of another org, the first that has one.

    None where there is neither: such a token names no company. That id is the ``company_id`` of
    the company in Sweo where the primary org's mapping matches it with ``Id``, and every other
    one with its external id.

    Raises:
        ValueError: the primary org's account has an id that is none.
    """
    known = list(accounts)
    primary = next((each for each in known if each.org is None), None)
    if primary is not None:
        return id_18(primary.account_id)
    return next((each.external_id for each in known if each.external_id), None)
