"""Every planted bug. The names of modules are those that the pipelines import."""

from __future__ import annotations

from typing import Final

from simulation.planted.plant import Plant

_ALL: Final = (
    # taps
    Plant(
        name="salesforce-watermark-from-the-end",
        module="tap_salesforce.streams",
        old='bookmark["watermark"] = bookmark.pop("began")',
        new='bookmark["watermark"] = __import__("salesforce_client.times").times.iso_z('
        "__import__('datetime').datetime.fromtimestamp(time.time(), "
        "__import__('datetime').timezone.utc)); bookmark.pop(\"began\")",
        breaks="What changes while a read is under way is read by the next one.",
        first=36,
    ),
    Plant(
        name="sweo-bookmark-moved-by-a-revisit",
        module="tap_sweo.streams",
        old='elif not source.get("revisit"):',
        new="else:",
        breaks="Revisited records never move a bookmark.",
        first=46,
    ),
    # the target's order of things
    Plant(
        name="state-before-commit",
        module="singer_runtime.target",
        old="if self._buffer or self._holds():",
        new="if self._holds():",
        breaks="STATE never leads the ledger.",
    ),
    Plant(
        name="no-intent-before-a-write",
        module="singer_runtime.exchange",
        old="run.writer.put_intents(intents)",
        new="pass",
        breaks="Before a write its intent is put down and committed.",
    ),
    Plant(
        name="intents-never-judged",
        module="singer_runtime.exchange",
        old="pairs = settle_doubts(self.book, pairs, doubts, batch)",
        new="pass",
        breaks="After a lost answer the other side is read before anything else is decided.",
    ),
    Plant(
        name="intent-taken-for-done",
        module="singer_runtime.doubts",
        old="if y == field.to:",
        new="if True:",
        breaks="What became of a write whose answer was lost is read, never guessed.",
    ),
    Plant(
        name="contested-taken-for-not-done",
        module="singer_runtime.doubts",
        old="elif rule.two_way and not (field.old_known and y == field.old):",
        new="elif False:",
        breaks="Where neither the old nor the intended value stands, both sides count as changed.",
    ),
    Plant(
        name="living-intent-judged",
        module="singer_runtime.doubts",
        old="if intent.run_id != run.run_id and run.is_running(intent.run_id):",
        new="if False:",
        breaks="A pair with an open intent of a living run is left to the revisit list.",
        # Only two runs of both directions that meet in one pair see it.
        first=50,
        seeds=60,
    ),
    # the merge
    Plant(
        name="echo-by-time",
        module="singer_runtime.plan",
        old="and rule.name not in pair.quarantined\n",
        new="and rule.name not in pair.quarantined\n"
        "            and pair.incoming.modified_at != pair.link.written[self.book.run.x]\n",
        breaks="An echo is recognised by value; an edit in the same second survives.",
    ),
    Plant(
        name="stale-reading-believed",
        module="singer_runtime.exchange",
        old="if self.planner.is_stale(pair):",
        new="if False:",
        breaks="A reading older than the base it contradicts is read again, not believed.",
    ),
    Plant(
        name="null-taken-for-absent",
        module="singer_runtime.plan",
        old="if rule.name in values\n",
        new="if values.get(rule.name) is not None\n",
        breaks="An empty value travels; absent means unknown.",
    ),
    Plant(
        name="base-of-the-written-side-not-moved",
        module="singer_runtime.outcomes",
        old="link.base[run.y][number] = self.book.token(rule, held)\n",
        new="link.base[run.y].setdefault(number, self.book.token(rule, held))\n",
        breaks="Both columns of a pair's base move together.",
    ),
    Plant(
        name="first-meeting-erases",
        module="crosswalk.merge",
        old="    if is_empty(field.v):\n        return Decision(Action.YIELD)\n",
        new="",
        breaks="At first meeting an empty side never erases a value.",
    ),
    Plant(
        name="last-writer-wins",
        module="crosswalk.merge",
        old="if not field.contested and field.y == field.base_y:",
        new="if not field.contested:",
        breaks="What changed on both sides is a conflict, decided by the policy.",
    ),
    Plant(
        name="loser-not-kept",
        module="singer_runtime.outcomes",
        old="old=None if each.y is ABSENT else each.y,",
        new="old=None,",
        breaks="Every value that was replaced can be restored from the ledger.",
    ),
    # making and belonging
    Plant(
        name="deleted-half-made-again",
        module="singer_runtime.pairing",
        old="lonely = [each for each in left if each.id not in closed]",
        new="lonely = left",
        breaks="The survivor of a deletion is not taken for a new record.",
    ),
    Plant(
        name="children-never-attached",
        module="singer_runtime.exchange",
        old="self.parents.attach(settled, batch)",
        new="pass",
        breaks="A contact's company follows its account.",
    ),
    Plant(
        name="attachment-not-remembered",
        module="singer_runtime.parents",
        old="link.parent_id = attached",
        new="pass",
        breaks="A contact leaves the company that its account no longer is.",
    ),
    # the ledger
    Plant(
        name="quarantine-dropped",
        module="singer_runtime.outcomes",
        old="self.batch.quarantined += plan.pair.quarantined.values()",
        new="pass",
        breaks="What could not be written stands in quarantine with its reason.",
    ),
    Plant(
        name="lease-not-checked",
        module="crosswalk.ledger.runs",
        old="if row is not None and not _is_dead(self.ledger, row):",
        new="if False:",
        breaks="One direction has one writer.",
    ),
    # the clients
    Plant(
        name="lost-answer-retried-blind",
        module="sweo_client.client",
        old="return self._call(method, path, None, body, write=True, blind=False)",
        new="return self._call(method, path, None, body, write=True, blind=True)",
        breaks="A write whose outcome is unknown is never sent again blind.",
        first=20,
    ),
)

PLANTS: Final = {plant.name: plant for plant in _ALL}
