"""What search, list and scroll see: the records, or their versions of some seconds ago."""

from __future__ import annotations

from sweo_sandbox.clock import Clock
from sweo_sandbox.sweo.database import COMPANY_COLUMNS, CONTACT_COLUMNS, Database
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.sweo.standard_attributes import Model

_COLUMNS: dict[Model, tuple[str, ...]] = {"company": COMPANY_COLUMNS, "contact": CONTACT_COLUMNS}


class Index:
    """The lagging view. With no lag it is the table itself and remembers nothing."""

    def __init__(self, database: Database, settings: WorkspaceSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    def remember(self, model: Model, record_id: str) -> None:
        """Keep the version that a write is about to replace; call it before the write."""
        if not self._settings.index_lag_seconds:
            return
        columns = ", ".join(_COLUMNS[model])
        now_ms = self._clock.now_ms()
        self._database.execute(
            f"DELETE FROM {model}_past WHERE superseded_at_ms <= ?",  # noqa: S608
            [self._horizon_ms()],
        )
        copied = self._database.execute(
            f"INSERT INTO {model}_past (superseded_at_ms, absent, {columns}) "  # noqa: S608
            f"SELECT ?, 0, {columns} FROM {model} WHERE id = ?",
            [now_ms, record_id],
        )
        if not copied.rowcount:
            self._database.execute(
                f"INSERT INTO {model}_past (superseded_at_ms, absent, id) VALUES (?, 1, ?)",  # noqa: S608
                [now_ms, record_id],
            )

    def source(self, model: Model) -> str:
        """The SQL table expression to read from, named like the model."""
        if not self._settings.index_lag_seconds:
            return model
        horizon_ms, columns = self._horizon_ms(), ", ".join(_COLUMNS[model])
        return (
            f"(SELECT {columns} FROM {model} WHERE id NOT IN "  # noqa: S608
            f"(SELECT id FROM {model}_past WHERE superseded_at_ms > {horizon_ms}) "
            f"UNION ALL SELECT {columns} FROM {model}_past WHERE absent = 0 AND number IN "
            f"(SELECT MIN(number) FROM {model}_past WHERE superseded_at_ms > {horizon_ms} "
            f"GROUP BY id)) AS {model}"
        )

    def _horizon_ms(self) -> int:
        return self._clock.now_ms() - round(self._settings.index_lag_seconds * 1000)
