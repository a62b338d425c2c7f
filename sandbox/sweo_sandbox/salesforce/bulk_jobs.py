"""A Bulk API 2.0 job: its settings, its life, its results."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from . import values
from .errors import SalesforceError
from .schema import SObjectType

if TYPE_CHECKING:
    from .org import Org
    from .queries import QueryCursor
    from .writes import WriteContext

DELIMITERS = {
    "COMMA": ",",
    "TAB": "\t",
    "PIPE": "|",
    "SEMICOLON": ";",
    "CARET": "^",
    "BACKQUOTE": "`",
}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
ROWS_PER_TRANSACTION = 10_000
_NULL = "#N/A"

JobKind = Literal["query", "ingest"]


@dataclass(slots=True)
class BulkJob:
    """One job. ``finishes_ms`` is when an accepted job will be complete, by the org's clock."""

    id: str
    kind: JobKind
    operation: str
    sobject: str
    user_id: str
    version: str
    created_ms: int
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    state: str = "Open"
    soql: str = ""
    include_deleted: bool = False
    external_id_field: str | None = None
    cursor: QueryCursor | None = None
    data: bytes = b""
    finishes_ms: int = 0
    modified_ms: int = 0
    error: str = ""
    processed: int = 0
    failed: int = 0
    header: list[str] = field(default_factory=list)
    successes: list[tuple[str, bool, list[str]]] = field(default_factory=list)
    failures: list[tuple[str, str, list[str]]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)

    def settle(self, now_ms: int) -> None:
        """Complete the job if its time has come."""
        if self.state in ("UploadComplete", "InProgress"):
            self.state = "JobComplete" if now_ms >= self.finishes_ms else "InProgress"
            self.modified_ms = now_ms

    def view(self, org: Org) -> dict[str, Any]:
        """What the job's resource answers."""
        body: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": self.user_id,
            "createdDate": values.iso_datetime(self.created_ms),
            "systemModstamp": values.iso_datetime(self.modified_ms or self.created_ms),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "jobType": "V2Query" if self.kind == "query" else "V2Ingest",
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }
        if self.external_id_field:
            body["externalIdFieldName"] = self.external_id_field
        if self.kind == "ingest":
            body["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
            body["assignmentRuleId"] = None
        if self.state in ("JobComplete", "Failed", "InProgress", "Aborted"):
            body["numberRecordsProcessed"] = self.processed
            body["retries"] = 0
            body["totalProcessingTime"] = 1
            if self.kind == "ingest":
                body["numberRecordsFailed"] = self.failed
                body["apiActiveProcessingTime"] = 1
                body["apexProcessingTime"] = 0
        if self.error:
            body["errorMessage"] = self.error
        return body

    def run_ingest(self, org: Org, context: WriteContext) -> None:
        """Write every row, in transactions of 10,000; rows that are refused go to the failures."""
        sobject = org.schema.sobjects[self.sobject.lower()]
        try:
            rows = self._rows()
            self.header = next(rows, [])
            self._check_header(sobject)
            records = list(rows)
        except _BadCsvError as error:
            self.state, self.error = "Failed", str(error)
            return
        for start in range(0, len(records), ROWS_PER_TRANSACTION):
            with org.store.transaction():
                for cells in records[start : start + ROWS_PER_TRANSACTION]:
                    self._write(org, sobject, cells, context)
        self.processed = len(records)
        self.failed = len(self.failures)

    def _write(
        self, org: Org, sobject: SObjectType, cells: list[str], context: WriteContext
    ) -> None:
        body = {
            name: None if cell == _NULL else cell
            for name, cell in zip(self.header, cells, strict=True)
            if cell != ""
        }
        given = next((body.pop(name) for name in list(body) if name.lower() == "id"), None)
        try:
            record_id, created = self._apply(org, sobject, given, body, context)
        except SalesforceError as error:
            self.failures.append((given or "", error.bulk_text(), cells))
            return
        self.successes.append((record_id, created, cells))

    def _apply(
        self,
        org: Org,
        sobject: SObjectType,
        given: str | None,
        body: dict[str, Any],
        context: WriteContext,
    ) -> tuple[str, bool]:
        from .collection_resources import as_row_error, full_id_of

        try:
            if self.operation == "insert":
                return org.writer.create(sobject, body, context).id, True
            if self.operation == "upsert":
                key = sobject.field_named(self.external_id_field or "Id")
                if key is None:
                    raise SalesforceError("INVALID_FIELD", "no such external id field")
                value = given if key.name == "Id" else None
                for name in list(body):
                    if name.lower() == key.name.lower():
                        value = body.pop(name)
                written = org.writer.upsert(sobject, key, value, body, context)
                return written.id, written.created
            record_id = full_id_of(sobject, given)
            if self.operation == "update":
                return org.writer.update(sobject, record_id, body, context).id, False
            org.writer.delete(sobject, record_id, context, hard=self.operation == "hardDelete")
        except SalesforceError as error:
            raise as_row_error(error) from None
        return record_id, False

    def _rows(self) -> Iterator[list[str]]:
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _BadCsvError("InvalidBatch : The 'CSV' content is not UTF-8") from None
        if "\x00" in text:
            raise _BadCsvError("InvalidBatch : The 'CSV' content holds a null character")
        ending = LINE_ENDINGS[self.line_ending]
        if self.line_ending == "CRLF" and "\n" in text and ending not in text:
            raise _BadCsvError(
                "ClientInputError : LineEnding is invalid on user data. "
                "Current LineEnding setting is CRLF"
            )
        if self.line_ending == "LF" and "\r\n" in text.split("\n", 1)[0] + "\n":
            raise _BadCsvError(
                "ClientInputError : LineEnding is invalid on user data. "
                "Current LineEnding setting is LF"
            )
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=DELIMITERS[self.delimiter], strict=True
        )
        width = 0
        try:
            for cells in reader:
                if not cells:
                    continue
                width = width or len(cells)
                if len(cells) != width:
                    raise _BadCsvError(
                        "InvalidBatch : Processing CSV: number of columns in line "
                        f"{reader.line_num} does not agree with the header"
                    )
                yield cells
        except csv.Error as error:
            raise _BadCsvError(f"InvalidBatch : Error parsing CSV: {error}") from None

    def _check_header(self, sobject: SObjectType) -> None:
        if not self.header:
            raise _BadCsvError("InvalidBatch : Field name not found : ")
        for name in self.header:
            plain = name.partition(".")[0]
            if sobject.field_named(plain) is None and sobject.relationship(plain) is None:
                raise _BadCsvError(f"InvalidBatch : Field name not found : {name}")
        if len({name.lower() for name in self.header}) != len(self.header):
            raise _BadCsvError("InvalidBatch : Duplicate field names in the header")

    def result_csv(self, which: str) -> Iterator[bytes]:
        """``successfulResults``, ``failedResults`` or ``unprocessedrecords`` as CSV."""
        ending = LINE_ENDINGS[self.line_ending]
        buffer = io.StringIO()
        writer = csv.writer(
            buffer,
            delimiter=DELIMITERS[self.delimiter],
            lineterminator=ending,
            quoting=csv.QUOTE_ALL,
        )
        if which == "successfulresults":
            writer.writerow(["sf__Id", "sf__Created", *self.header])
            for record_id, created, cells in self.successes:
                writer.writerow([record_id, str(created).lower(), *cells])
        elif which == "failedresults":
            writer.writerow(["sf__Id", "sf__Error", *self.header])
            for record_id, error, cells in self.failures:
                writer.writerow([record_id, error, *cells])
        else:
            writer.writerow(self.header)
            writer.writerows(self.unprocessed)
        yield buffer.getvalue().encode()


class _BadCsvError(Exception):
    """The whole job fails, with this message."""
