"""The lines that mappers are measured on: 20 mapped fields a record, of many kinds."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

KINDS = (
    *(["string"] * 8),
    *(["picklist"] * 3),
    *("currency", "double", "int", "boolean", "date", "datetime", "datetime"),
    *("multipicklist", "reference"),
)

STOCK = (sys.executable, "-m", "bench.stock.mapper")
OURS = (str(Path(sys.executable).parent / "mapper-sweo"),)


def settings() -> dict[str, Any]:
    fields = [
        {"salesforce": f"F{n}__c", "sweo": f"f{n}", "direction": "to_sweo" if n % 3 else "both"}
        for n in range(len(KINDS))
    ]
    mapping = {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "Number__c", "sweo": "company_id"},
        "fields": fields,
    }
    return {"direction": "to-sweo", "mappings": [mapping]}


def write_lines(path: Path, records: int) -> None:
    draw = random.Random(1)
    make: dict[str, Callable[[], object]] = {
        "string": lambda: f"Acme {draw.randrange(10**6)} GmbH",
        "picklist": lambda: draw.choice(("Free", "Pro", "Enterprise")),
        "currency": lambda: round(draw.random() * 1e6, 2),
        "double": lambda: float(draw.randrange(1000)),
        "int": lambda: draw.randrange(10**6),
        "boolean": lambda: draw.random() < 0.5,
        "date": lambda: f"20{draw.randrange(10, 27)}-0{draw.randrange(1, 10)}-15",
        "datetime": lambda: f"2026-01-02T03:{draw.randrange(10, 60)}:05.000+0000",
        "multipicklist": lambda: ";".join(draw.sample(("AMER", "APAC", "EMEA"), 2)),
        "reference": lambda: f"001{draw.randrange(10**12):012d}AAA",
    }
    types = {f"F{n}__c": kind for n, kind in enumerate(KINDS)} | {"Number__c": "string"}
    properties = {
        name: {"x-sweo": {"side": "salesforce", "name": name, "type": kind}}
        for name, kind in types.items()
    }
    note = {"mapping": "accounts", "side": "salesforce", "object": "Account"}
    schema = {"type": "object", "properties": properties, "x-sweo": note}
    moment = "2026-01-02T03:04:05Z"
    with path.open("w", encoding="utf-8") as out:
        message = {"type": "SCHEMA", "stream": "accounts", "schema": schema, "key_properties": []}
        out.write(json.dumps(message) + "\n")
        for number in range(records):
            record: dict[str, Any] = {f"F{n}__c": make[kind]() for n, kind in enumerate(KINDS)}
            record["Number__c"] = f"C-{number}"
            record["_source"] = {
                "id": f"001{number:015d}",
                "modified_at": moment,
                "read_at": moment,
            }
            line = {"type": "RECORD", "stream": "accounts", "record": record}
            out.write(json.dumps(line, separators=(",", ":")) + "\n")
        out.write('{"type":"STATE","value":{}}\n')
