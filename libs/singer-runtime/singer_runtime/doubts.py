"""Writes whose answer was lost: what became of them is read, never guessed.

A write that was put down and never committed belongs to a run that died or lost the answer.
Where the written side now holds the intended value, the write happened; where it holds the old
one, it did not; where it holds neither, somebody has edited since, and both sides count as
changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from crosswalk.ledger import IntendedField, Intent
from crosswalk.ledger.clock import seconds_of
from crosswalk.ledger.commit import ChangeRow, Commit, RevisitRow
from crosswalk.mapping import Side
from crosswalk.merge import ABSENT, Known

from singer_runtime.destination import Presence
from singer_runtime.plan import Pair
from singer_runtime.rules import PARENT_BASE, Rule, RuleBook


def settle_doubts(
    book: RuleBook, pairs: Sequence[Pair], doubts: dict[int, list[Intent]], batch: Commit
) -> list[Pair]:
    """Judge the open intents of these pairs and commit the judgement.

    It is committed before anything new is decided: a second intent over an unjudged first one
    would make our own later write look like a person's edit.

    Returns:
        The pairs that may be exchanged now; the others are on the revisit list.
    """
    if not any(pair.link.id in doubts for pair in pairs):
        return list(pairs)
    run = book.run
    free: list[Pair] = []
    own: list[tuple[Pair, Intent]] = []
    judged = Commit(run.direction, book.mapping.name, run.run_id)
    for pair in pairs:
        intents = doubts.get(pair.link.id, [])
        if any(_must_wait(book, pair, intent) for intent in intents):
            run.counts.deferred += 1
            batch.revisits.append(
                RevisitRow(run.direction, book.mapping.name, pair.incoming.id, "write in doubt")
            )
            continue
        free.append(pair)
        for intent in intents:
            if intent.direction == run.direction:
                own.append((pair, intent))
            else:
                _judge_opposite(book, pair, intent, judged)
    _judge_own(book, own, judged)
    lost = {link.id for link in run.writer.commit(judged)}
    for link in judged.links:
        link.version += 1
    return [pair for pair in free if pair.link.id not in lost]


def _must_wait(book: RuleBook, pair: Pair, intent: Intent) -> bool:
    """A living run's write is its own business; the other side needs a reading that is younger."""
    run = book.run
    if intent.run_id != run.run_id and run.is_running(intent.run_id):
        return True
    return intent.direction != run.direction and seconds_of(pair.incoming.read_at) <= seconds_of(
        intent.put_at
    )


def _by_number(book: RuleBook) -> dict[str, Rule]:
    return {rule.number: rule for rule in book.rules if rule.number is not None}


def _judge_own(book: RuleBook, doubts: Sequence[tuple[Pair, Intent]], judged: Commit) -> None:
    if not doubts:
        return
    run = book.run
    book.prepare()
    rules = _by_number(book)
    names = {
        rules[number].name: None
        for _, intent in doubts
        for number in intent.fields
        if number in rules
    }
    ids = list(dict.fromkeys(pair.link.id_on(run.y) for pair, _ in doubts))
    readings = run.destination.read(book.mapping, ids, list(names))
    for pair, intent in doubts:
        reading = readings[pair.link.id_on(run.y)]
        if reading.presence is Presence.THERE:
            for number, field in intent.fields.items():
                rule = rules.get(number)
                if rule is None:
                    continue
                y: Known = reading.values.get(rule.name, ABSENT)
                if y is ABSENT:
                    continue
                if y == field.to:
                    pair.link.base[run.x][number] = field.x
                    pair.link.base[run.y][number] = book.token(rule, y)
                    if rule.two_way and reading.read_at is not None:
                        pair.link.rests_on(run.y, number, int(seconds_of(reading.read_at)))
                    run.counts.recovered += 1
                    judged.changes.append(
                        _doubtful(book, pair, rule.name, run.y, field, "written, answer lost")
                    )
                elif rule.two_way and not (field.old_known and y == field.old):
                    pair.contested.add(number)
                    judged.changes.append(
                        _doubtful(book, pair, rule.name, run.y, field, "outcome unknown")
                    )
        if PARENT_BASE in intent.fields:
            # Only the next move, which knows where the child belongs, can end this doubt.
            intent.fields = {PARENT_BASE: intent.fields[PARENT_BASE]}
            pair.moves_in_doubt.append(intent)
            judged.intents_left.append(intent)
        else:
            judged.intents_done.append(intent)
        _moved(judged, pair)


def _judge_opposite(book: RuleBook, pair: Pair, intent: Intent, judged: Commit) -> None:
    """A write to X by the other pipeline, judged by the reading of X that is at hand.

    Only fields that flow both ways are in that reading; the others stay for their own pipeline.
    """
    run = book.run
    rules = _by_number(book)
    left = dict(intent.fields)
    for number, field in intent.fields.items():
        rule = rules.get(number)
        if rule is None or not rule.two_way or rule.name not in pair.incoming.values:
            continue
        del left[number]
        v = pair.incoming.values[rule.name]
        if v == field.to:
            pair.link.base[run.x][number] = v
            pair.link.base[run.y][number] = field.x
            pair.link.rests_on(run.x, number, int(seconds_of(pair.incoming.read_at)))
            run.counts.recovered += 1
            judged.changes.append(
                _doubtful(book, pair, rule.field.on(run.x), run.x, field, "written, answer lost")
            )
        elif not (field.old_known and v == field.old):
            pair.contested.add(number)
            judged.changes.append(
                _doubtful(book, pair, rule.field.on(run.x), run.x, field, "outcome unknown")
            )
    if left:
        intent.fields = left
        judged.intents_left.append(intent)
    else:
        judged.intents_done.append(intent)
    _moved(judged, pair)


def _moved(judged: Commit, pair: Pair) -> None:
    for side in pair.link.digest:
        pair.link.digest[side] = None
    if all(link.id != pair.link.id for link in judged.links):
        judged.links.append(pair.link)


def _doubtful(
    book: RuleBook, pair: Pair, name: str, side: Side, field: IntendedField, outcome: str
) -> ChangeRow:
    """Keep what the write replaced, or may have replaced: it can be restored from here."""
    return ChangeRow(
        mapping=book.mapping.name,
        salesforce_id=pair.link.salesforce_id,
        sweo_id=pair.link.sweo_id,
        field=name,
        side=side,
        old=field.old,
        new=field.to,
        outcome=outcome,
    )
