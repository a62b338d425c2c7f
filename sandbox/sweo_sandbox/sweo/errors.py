"""The API's error bodies: ``error.list`` with one code and message each."""

from __future__ import annotations

import uuid
from typing import Any


class ApiError(Exception):
    """A request that the API refuses, with the status and code it answers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The JSON that is sent."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        return {"type": "error.list", "request_id": str(uuid.uuid4()), "errors": [error]}


def invalid(message: str, *, field: str | None = None) -> ApiError:
    """400 ``parameter_invalid``."""
    return ApiError(400, "parameter_invalid", message, field=field)


def missing(message: str) -> ApiError:
    """400 ``parameter_not_found``."""
    return ApiError(400, "parameter_not_found", message)


def bad_request(message: str) -> ApiError:
    """400 ``bad_request``."""
    return ApiError(400, "bad_request", message)


def company_not_found() -> ApiError:
    """404 for a company."""
    return ApiError(404, "company_not_found", "Company Not Found")


def contact_not_found() -> ApiError:
    """404 for a contact."""
    return ApiError(404, "not_found", "User Not Found")


def not_found() -> ApiError:
    """404 for anything else."""
    return ApiError(404, "not_found", "Resource Not Found")


def unauthorized() -> ApiError:
    """401."""
    return ApiError(401, "unauthorized", "Access Token Invalid")


_STATUS_ERRORS = {
    400: ("bad_request", "bad request"),
    401: ("unauthorized", "Access Token Invalid"),
    403: ("forbidden", "You do not have permission to access this resource"),
    404: ("not_found", "Resource Not Found"),
    405: ("method_not_allowed", "Method Not Allowed"),
    409: ("conflict", "Resource conflict"),
    429: ("rate_limit_exceeded", "Exceeded rate limit"),
    500: ("server_error", "Something went wrong on our end"),
    502: ("server_error", "Bad gateway"),
    503: ("service_unavailable", "Sorry, the API service is temporarily unavailable"),
    504: ("server_error", "Gateway timeout"),
}


def error_body(status: int) -> dict[str, Any]:
    """The body that goes with a bare status, for injected faults and unknown paths."""
    code, message = _STATUS_ERRORS.get(status, ("server_error", "Unexpected error"))
    return ApiError(status, code, message).body()
