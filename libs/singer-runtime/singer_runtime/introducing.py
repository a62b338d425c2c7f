"""Pairs with a Salesforce org that is only read: they are linked here and exchanged elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from crosswalk.ledger import FIRST_EXCHANGE
from crosswalk.ledger.commit import Commit, RevisitRow

from singer_runtime.plan import Pair
from singer_runtime.rules import RuleBook


def introduce(book: RuleBook, pairs: Sequence[Pair], batch: Commit) -> None:
    """Let the other pipeline exchange what is new; nothing is asked of the side that is written
    to, which is another org than the one that these records are in.
    """
    run = book.run
    for pair in pairs:
        pair.link.digest[run.x] = pair.incoming.digest
        if not pair.is_new:
            run.counts.unchanged += 1
            batch.digests.append((pair.link, run.x))
            continue
        batch.links.append(pair.link)
        batch.revisits.append(
            RevisitRow(run.opposite, book.mapping.name, pair.link.id_on(run.y), FIRST_EXCHANGE)
        )
