"""``composite/sobjects``: up to 200 records created, changed, upserted or deleted in one call,
2,000 retrieved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import ids
from .errors import (
    SalesforceError,
    entity_is_deleted,
    invalid_cross_reference,
    invalid_type,
    json_parser_error,
    unable_to_lock_row,
)
from .rest import records_by_id
from .schema import SObjectField, SObjectType
from .web import Request, Response, Router, sobject_named, switch

if TYPE_CHECKING:
    from .org import Org
    from .writes import Written

router = Router()
MOST_ROWS = 200
MOST_CHUNKS = 10
MOST_RETRIEVED = 2000
_ROLLED_BACK = SalesforceError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone "
    "header",
)
_PARTIAL = SalesforceError(
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "SandboxTrigger: execution of AfterUpdate caused by: a fault of the control desk",
    400,
    [],
)
RowAction = Callable[[int], "Written"]


class _RolledBackError(Exception):
    """Undoes an all-or-none call; never leaves this module."""


@router.route("POST", "/composite/sobjects")
def create(org: Org, request: Request) -> Response:
    """Make records; each names its object in ``attributes.type``."""
    records, all_or_none = _records(request)
    context = request.write_context()

    def act(index: int) -> Written:
        body = records[index]
        if any(name.lower() == "id" and value for name, value in body.items()):
            raise SalesforceError(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                "cannot specify Id in an insert call",
                400,
                ["Id"],
            )
        body = {name: value for name, value in body.items() if name.lower() != "id"}
        return org.writer.create(_type_of(org, request, body), body, context)

    return _run(org, request, act, [None] * len(records), all_or_none=all_or_none)


@router.route("PATCH", "/composite/sobjects")
def update(org: Org, request: Request) -> Response:
    """Change records; each carries its id."""
    records, all_or_none = _records(request)
    context = request.write_context()
    given = [_id_of(record) for record in records]
    twice = _repeated(given)

    def act(index: int) -> Written:
        body = {name: value for name, value in records[index].items() if name.lower() != "id"}
        sobject = _type_of(org, request, body)
        record_id = full_id_of(sobject, given[index])
        if record_id in twice:
            raise SalesforceError("DUPLICATE_VALUE", f"duplicate id in list: {record_id}", 400, [])
        return org.writer.update(sobject, record_id, body, context)

    return _run(org, request, act, given, all_or_none=all_or_none)


@router.route("PATCH", "/composite/sobjects/{sobject}/{field}")
def upsert(org: Org, request: Request, sobject: str, field: str) -> Response:
    """Upsert records of one object by an external id field (or ``Id``)."""
    known = sobject_named(org, request, sobject)
    key = known.field_named(field)
    visible = org.security.visible(request.user_id)
    if key is None or not visible(known.name, key.name) or not _is_key(key):
        raise SalesforceError(
            "NOT_FOUND",
            f"Provided external ID field does not exist or is not accessible: {field}",
            404,
        )
    records, all_or_none = _records(request)
    context = request.write_context()
    held = [_value_of(record, key.name) for record in records]
    twice = _repeated(
        [str(value).casefold() if value not in (None, "") else None for value in held]
    )

    def act(index: int) -> Written:
        body = records[index]
        named = body.get("attributes")
        if (
            isinstance(named, dict)
            and str(named.get("type", known.name)).lower() != known.name.lower()
        ):
            raise SalesforceError("INVALID_TYPE", f"records must be of type {known.name}", 400, [])
        value = held[index]
        if value not in (None, "") and str(value).casefold() in twice:
            raise SalesforceError(
                "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", 400, [key.name]
            )
        return org.writer.upsert(known, key, value, body, context)

    return _run(org, request, act, [None] * len(records), all_or_none=all_or_none, upserting=True)


@router.route("DELETE", "/composite/sobjects")
def delete(org: Org, request: Request) -> Response:
    """Delete records by the ids in the query."""
    given: list[str | None] = [
        text.strip() for text in request.query.get("ids", "").split(",") if text.strip()
    ]
    _check_count(len(given))
    all_or_none = request.query.get("allOrNone", "").lower() == "true"
    context = request.write_context()

    def act(index: int) -> Written:
        from .writes import Written

        record_id = ids.to_18(given[index] or "")
        by_prefix = {each.key_prefix: each for each in org.schema.sobjects.values()}
        sobject = by_prefix.get(record_id[:3]) if record_id else None
        if record_id is None or sobject is None:
            raise SalesforceError("MALFORMED_ID", f"malformed id {given[index]}", 400, [])
        org.writer.delete(sobject, record_id, context)
        return Written(record_id, created=False)

    return _run(org, request, act, given, all_or_none=all_or_none)


@router.route("POST", "/composite/sobjects/{sobject}", kind="read")
def retrieve(org: Org, request: Request, sobject: str) -> Response:
    """Up to 2,000 records by id, in the order asked for; ``null`` for one that cannot be seen."""
    body = request.json_object({"ids", "fields"})
    return _retrieve(org, request, sobject, body.get("ids"), body.get("fields"))


@router.route("GET", "/composite/sobjects/{sobject}")
def retrieve_by_query(org: Org, request: Request, sobject: str) -> Response:
    """The same with ids and fields in the URL."""
    wanted = [text for text in request.query.get("ids", "").split(",") if text]
    fields = [text for text in request.query.get("fields", "").split(",") if text]
    return _retrieve(org, request, sobject, wanted, fields)


def _retrieve(org: Org, request: Request, name: str, wanted: Any, fields: Any) -> Response:
    known = sobject_named(org, request, name)
    for given, called in ((wanted, "ids"), (fields, "fields")):
        if not isinstance(given, list) or not given or not all(isinstance(g, str) for g in given):
            raise SalesforceError("MISSING_ARGUMENT", f"The {called} parameter is required", 400)
    if len(wanted) > MOST_RETRIEVED:
        raise _too_many(MOST_RETRIEVED)
    full_ids = []
    for text in wanted:
        full_id = ids.to_18(text.strip())
        if full_id is None:
            raise SalesforceError("MALFORMED_ID", f"malformed id {text}")
        full_ids.append(full_id)
    found = records_by_id(
        org, request, known, list(dict.fromkeys(full_ids)), [field.strip() for field in fields]
    )
    return Response([found.get(full_id) for full_id in full_ids])


def _run(
    org: Org,
    request: Request,
    act: RowAction,
    given: list[str | None],
    *,
    all_or_none: bool,
    upserting: bool = False,
) -> Response:
    results: list[dict[str, Any]] = []
    failures = 0
    try:
        with org.store.transaction():
            for index in range(len(given)):
                try:
                    _strike(request, index)
                    written = act(index)
                except SalesforceError as error:
                    failures += 1
                    told = request.located(error, "records", index)
                    results.append(_failed(as_row_error(told), given[index]))
                    continue
                result: dict[str, Any] = {"id": written.id, "success": True, "errors": []}
                if upserting:
                    result["created"] = written.created
                results.append(result)
            if failures and all_or_none:
                raise _RolledBackError
    except _RolledBackError:
        results = [
            _failed(_ROLLED_BACK, given[index]) if result["success"] else result
            for index, result in enumerate(results)
        ]
    return Response(results)


def _strike(request: Request, index: int) -> None:
    partial = request.faults.get("partial_success")
    if partial is not None:
        rows = partial.rows
        if index in rows if rows is not None else index % 2 == 1:
            raise _PARTIAL
    lock = request.faults.get("UNABLE_TO_LOCK_ROW")
    if lock is not None and lock.rows is not None and index in lock.rows:
        raise unable_to_lock_row()


def as_row_error(error: SalesforceError) -> SalesforceError:
    """A row's refusal: what is a 404 by URL is a bad reference in a collection."""
    if error.code == "NOT_FOUND":
        return invalid_cross_reference()
    if error.code == "ENTITY_IS_DELETED":
        return entity_is_deleted()
    if error.status == 300:
        return SalesforceError(error.code, error.message, 400, error.fields)
    return error


def _failed(error: SalesforceError, record_id: str | None) -> dict[str, Any]:
    failed: dict[str, Any] = {"success": False, "errors": [error.row_body()]}
    full_id = ids.to_18(record_id) if record_id else None
    return {"id": full_id, **failed} if full_id else failed


def _records(request: Request) -> tuple[list[dict[str, Any]], bool]:
    body = request.json_object({"records", "allOrNone"})
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise json_parser_error("records is required and must be a list of objects")
    _check_count(len(records))
    kinds = [_declared(record) for record in records]
    chunks = sum(1 for index, kind in enumerate(kinds) if index == 0 or kind != kinds[index - 1])
    if chunks > MOST_CHUNKS:
        raise SalesforceError(
            "LIMIT_EXCEEDED",
            f"Records of different types alternate more than {MOST_CHUNKS} times: {chunks}",
        )
    return records, switch(body, "allOrNone")


def _check_count(count: int) -> None:
    if count > MOST_ROWS:
        raise _too_many(MOST_ROWS)
    if count == 0:
        raise SalesforceError("MISSING_ARGUMENT", "The records parameter is required", 400)


def _too_many(most: int) -> SalesforceError:
    return SalesforceError(
        "EXCEEDED_ID_LIMIT",
        f"record limit reached. cannot submit more than {most} records in this call",
    )


def _declared(record: dict[str, Any]) -> str:
    attributes = record.get("attributes")
    return str(attributes.get("type", "")).lower() if isinstance(attributes, dict) else ""


def _type_of(org: Org, request: Request, record: dict[str, Any]) -> SObjectType:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise SalesforceError("INVALID_TYPE", "attributes.type is required in each record", 400, [])
    found = org.schema.sobject(name)
    if found is None or not org.security.may(request.user_id, found.name, "read"):
        raise invalid_type(name)
    return found


def _id_of(record: dict[str, Any]) -> str | None:
    value = _value_of(record, "Id")
    return str(value) if value else None


def _value_of(record: dict[str, Any], name: str) -> Any:
    return next((value for key, value in record.items() if key.lower() == name.lower()), None)


def full_id_of(sobject: SObjectType, text: str | None) -> str:
    """A row's id, 18 characters.

    Raises:
        SalesforceError: it is missing, no id, or one of another object.
    """
    if not text:
        raise SalesforceError("MISSING_ARGUMENT", "Id not specified in an update call", 400, ["Id"])
    record_id = ids.to_18(text)
    if record_id is None or record_id[:3] != sobject.key_prefix:
        raise SalesforceError(
            "MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {text}", 400, ["Id"]
        )
    return record_id


def _is_key(key: SObjectField) -> bool:
    return key.external_id or key.id_lookup or key.name == "Id"


def _repeated(values: list[str | None]) -> set[str]:
    seen: set[str] = set()
    return {value for value in values if value is not None and (value in seen or seen.add(value))}  # type: ignore[func-returns-value]
