"""Whether the org has room for the fields that are to be made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from crosswalk.errors import FatalError
from salesforce_client.connection import Connection
from salesforce_client.errors import RequestRefusedError
from salesforce_client.soql import Select, literal

from sweo_sync.setup.wanted import WantedField

_COLUMNS = ("EntityDefinition.QualifiedApiName", "Max", "Remaining")


def refuse_beyond_limit(connection: Connection, fields: Sequence[WantedField]) -> None:
    """Check every object's limit of custom fields; one call, none where no field is missing.

    A user who may not see the set-up is told nothing here, and Salesforce refuses the field itself.

    Raises:
        FatalError: an object takes fewer; names the fields.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for each in fields:
        wanted[each.table].append(each.name)
    if not wanted:
        return
    names = ", ".join(literal(table) for table in wanted)
    where = ("Type = 'CustomFields'", f"EntityDefinition.QualifiedApiName IN ({names})")
    soql = Select("EntityLimit", _COLUMNS, where).text()
    try:
        rows = connection.read("tooling/query", params={"q": soql}).body["records"]
    except RequestRefusedError:
        return
    for row in rows:
        table, left = str(row["EntityDefinition"]["QualifiedApiName"]), int(row["Remaining"])
        missing = wanted.get(table, [])
        if len(missing) > left:
            raise FatalError(
                f"{table} takes {int(row['Max'])} custom fields and has room for {left}, but "
                f"{len(missing)} are missing ({', '.join(missing)}): delete fields that nobody "
                "uses, or map fewer."
            )
