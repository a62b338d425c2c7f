"""Pairs of fields, tried: how many sampled Sweo records have one partner in Salesforce by them.

The sample is Sweo's; Salesforce is asked for its values (``IN``, ``LIKE``), so that the rates
hold for an org of any size.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping as MappingOf, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crosswalk.mapping import Match, Normalise
from crosswalk.match import normalise
from salesforce_client.composite import MAX_QUERIES, Subrequest, query_path, read_composite
from salesforce_client.connection import Connection
from salesforce_client.ids import is_record_id, to_18
from salesforce_client.soql import Select, encoded_bytes, in_batches

from sweo_sync.doctor.candidates import Sort

ROWS: Final = 2_000
_SITE_ROWS: Final = 20
"""So many sites are looked for: their patterns have no fixed beginning, and read every record."""
_MOST_LIKE: Final = 50
_LIKE_BYTES: Final = 9_000
_EXAMPLES: Final = 3
_LEGAL_FORMS: Final = re.compile(
    r"\b(?:inc|incorporated|llc|ltd|limited|plc|gmbh|ag|kg|sa|sas|sarl|srl|spa|bv|nv|ab|oy|as|co|"
    r"corp|corporation|company|kk|pty|the)\b\.?"
)
_NO_WORD: Final = re.compile(r"[\W_]+")

Record = MappingOf[str, Any]
Read = Callable[[Record], object]


@dataclass(frozen=True, slots=True)
class Trial:
    """One pair of fields, tried on ``sampled`` Sweo records, of which ``filled`` have a value.

    ``unique`` have exactly one partner and share the value with nobody; ``found`` have one or
    more; ``duplicates`` are values that several records of one side share. ``examples`` are pairs
    of ids. ``by_normal_name`` says that names were compared without legal forms and punctuation,
    as the pipelines do not.
    """

    match: Match
    sampled: int
    filled: int
    found: int
    unique: int
    duplicates: int
    examples: tuple[str, ...]
    by_normal_name: bool = False

    @property
    def rate(self) -> float:
        """The share of the sampled records that the pair identifies."""
        return self.unique / self.sampled if self.sampled else 0.0

    def sentence(self) -> str:
        """The pair and its rates."""
        shared = f", {self.duplicates} duplicates" if self.duplicates else ", no duplicates"
        return (
            f"{self.match.salesforce} = {self.match.sweo}: {self.unique} of {self.sampled} "
            f"({self.rate:.0%}) have one partner{shared}"
        )


def try_matches(
    connection: Connection,
    sobject: str,
    rows: Sequence[Record],
    pairs: Sequence[tuple[Match, Sort]],
    readers: MappingOf[str, Read],
) -> list[Trial]:
    """Try every pair: one query per Salesforce field, five a call.

    Raises:
        FatalError, RetryLaterError: a call as a whole was refused. A single query that is refused
            counts as no partner.
    """
    by_field: dict[tuple[str, Sort], list[Match]] = defaultdict(list)
    for match, sort in pairs:
        by_field[match.salesforce, sort].append(match)
    queries: list[tuple[str, Sort, str]] = []
    for (field, sort), matches in by_field.items():
        values = {
            str(value)
            for match in matches
            for row in _tried(rows, sort)
            if (value := readers[match.sweo](row)) not in (None, "")
        }
        condition = _condition(field, sort, sorted(values), sobject)
        if condition:
            own = dict.fromkeys(("Id", field))
            soql = f"{Select(sobject, tuple(own), (condition,)).text()} LIMIT {ROWS}"
            queries.append((field, sort, soql))
    held: dict[tuple[str, Sort], list[tuple[str, object]]] = {}
    for start in range(0, len(queries), MAX_QUERIES):
        batch = queries[start : start + MAX_QUERIES]
        requests = [Subrequest("GET", query_path(soql, deleted_too=False)) for *_, soql in batch]
        answers = read_composite(connection, requests)
        for (field, sort, _), part in zip(batch, answers, strict=True):
            found = [] if part.refusal else part.body["records"]
            held[field, sort] = [(record["Id"], record.get(field)) for record in found]
    trials: list[Trial] = []
    for (field, sort), matches in by_field.items():
        theirs, tried = held.get((field, sort), []), _tried(rows, sort)
        for match in matches:
            read = readers[match.sweo]
            trials.append(_trial(match, tried, read, theirs, _form(match, field)))
            if sort is Sort.NAME:
                trials.append(_trial(match, tried, read, theirs, normal_name, by_name=True))
    return trials


def _tried(rows: Sequence[Record], sort: Sort) -> Sequence[Record]:
    return rows[:_SITE_ROWS] if sort is Sort.SITE else rows


def _trial(
    match: Match,
    rows: Sequence[Record],
    read: Read,
    theirs: Sequence[tuple[str, object]],
    form: Callable[[object], str | None],
    *,
    by_name: bool = False,
) -> Trial:
    partners: dict[str, list[str]] = defaultdict(list)
    for record_id, value in theirs:
        key = form(value)
        if key is not None:
            partners[key].append(record_id)
    own = [(str(row.get("id")), key) for row in rows if (key := form(read(row))) is not None]
    shared = Counter(key for _, key in own)
    unique = [
        (record_id, partners[key][0])
        for record_id, key in own
        if len(partners.get(key, ())) == 1 and shared[key] == 1
    ]
    return Trial(
        match=match,
        sampled=len(rows),
        filled=len(own),
        found=sum(key in partners for _, key in own),
        unique=len(unique),
        duplicates=sum(
            len(partners.get(key, ())) > 1 or count > 1 for key, count in shared.items()
        ),
        examples=tuple(f"{theirs_id} = {own_id}" for own_id, theirs_id in unique[:_EXAMPLES]),
        by_normal_name=by_name,
    )


def _form(match: Match, field: str) -> Callable[[object], str | None]:
    if field == "Id":
        return _long_id
    how = match.normalise
    return lambda value: normalise(value, how)


def _long_id(value: object) -> str | None:
    return to_18(value) if isinstance(value, str) and is_record_id(value) else None


def normal_name(value: object) -> str | None:
    """A company's name without its legal form, punctuation and case; None where none is left."""
    if not isinstance(value, str):
        return None
    folded = _NO_WORD.sub(" ", value.casefold())
    return " ".join(_LEGAL_FORMS.sub(" ", folded).split()) or None


def _condition(field: str, sort: Sort, values: Sequence[str], sobject: str) -> str | None:
    if sort is Sort.SITE:
        hosts = sorted({host for value in values if (host := normalise(value, Normalise.DOMAIN))})
        return _any_like(field, [f"%{_escaped(host)}%" for host in hosts])
    if sort is Sort.NAME:
        stems = sorted({" ".join(value.split()[:2]).rstrip(".,") for value in values})
        return _any_like(field, [f"{_escaped(stem)}%" for stem in stems if stem])
    if field == "Id":
        values = [value for value in values if is_record_id(value)]
    if sort is Sort.EMAIL:
        values = [value for value in values if "@" in value]
    taken = encoded_bytes(f"{Select(sobject, ('Id', field), ('',)).text()} LIMIT {ROWS}")
    return next((text for text, _ in in_batches(field, values, taken_bytes=taken)), None)


def _any_like(field: str, patterns: Sequence[str]) -> str | None:
    taken: list[str] = []
    room = _LIKE_BYTES
    for pattern in patterns[:_MOST_LIKE]:
        text = f"{field} LIKE '{pattern}'"
        room -= encoded_bytes(text + " OR ")
        if room < 0:
            break
        taken.append(text)
    return f"({' OR '.join(taken)})" if taken else None


def _escaped(text: str) -> str:
    """Text inside a LIKE pattern: quotes, backslashes and wildcards stand for themselves."""
    return re.sub(r"(['\\%_])", r"\\\1", text)
