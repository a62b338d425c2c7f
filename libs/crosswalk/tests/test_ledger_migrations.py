"""A ledger migrated from nothing is the ledger that the code knows."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from crosswalk.ledger import Ledger, schema
from crosswalk.ledger.engine import HEAD
from sqlalchemy import inspect, text


def _config() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(files("crosswalk").joinpath("migrations")))
    return settings


def test_migrated_from_nothing_equals_the_schema(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_what_alembic_does_not_compare_is_there_too(ledger: Ledger) -> None:
    inspector = inspect(ledger.engine)
    for table in schema.metadata.sorted_tables:
        made = {index["name"]: index for index in inspector.get_indexes(table.name)}
        for index in table.indexes:
            assert bool(made[index.name]["unique"]) == index.unique
            partial = any("where" in key for key in made[index.name]["dialect_options"])
            assert partial == ("open" in str(index.name)), index.name
        assert {c["name"]: c["nullable"] for c in inspector.get_columns(table.name)} == {
            c.name: c.nullable for c in table.columns
        }
        keys = inspector.get_foreign_keys(table.name)
        assert {
            (key["constrained_columns"][0], key["options"].get("ondelete")) for key in keys
        } == {(f.parent.name, f.ondelete) for f in table.foreign_keys}


def test_numbers_are_never_used_twice(ledger: Ledger) -> None:
    for table, column in ((schema.revisit, "number"), (schema.intent, "id")):
        values = {
            c.name: "0"
            for c in table.columns
            if c.name not in (column, "link_id") and not c.default
        }
        with ledger.engine.begin() as connection:
            first = connection.execute(table.insert().values(**values)).inserted_primary_key
            connection.execute(table.delete())
            second = connection.execute(table.insert().values(**values)).inserted_primary_key
        assert second[0] > first[0]


def test_the_head_that_the_code_needs_is_the_last_migration() -> None:
    assert ScriptDirectory.from_config(_config()).get_heads() == [HEAD]


def test_down_and_up_again(ledger: Ledger) -> None:
    settings = _config()
    with ledger.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, "base")
    assert set(inspect(ledger.engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    with ledger.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
    with ledger.engine.connect() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        assert version == HEAD
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
