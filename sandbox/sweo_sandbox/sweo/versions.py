"""API versions, and what differs between them."""

from __future__ import annotations

from dataclasses import dataclass

from sweo_sandbox.sweo.errors import ApiError

_NUMBERED = frozenset({*(f"1.{n}" for n in range(5)), *(f"2.{n}" for n in range(18))})
_PREVIEW = frozenset({"preview", "unstable", "0"})


@dataclass(frozen=True)
class ApiVersion:
    """A version that a request asked for; ``minor`` counts within 2.x, Preview is above all."""

    preview: bool
    minor: int

    @property
    def exact_seconds(self) -> bool:
        """Whether search compares times by the second; up to 2.16 it is by the calendar day."""
        return self.preview or self.minor >= 17

    @property
    def merge_wants_duplicates(self) -> bool:
        """Whether a merge of two contacts that share no email or phone is refused."""
        return self.preview or self.minor >= 16


def parse_version(header: str | None, default: str) -> ApiVersion:
    """The version named by the ``Intercom-Version`` or ``Sweo-Version`` header.

    Raises:
        ApiError: there is no such version.
    """
    text = (header or default).strip()
    if text.lower() in _PREVIEW:
        return ApiVersion(preview=True, minor=999)
    if text not in _NUMBERED:
        raise ApiError(400, "intercom_version_invalid", "The requested version could not be found")
    major, _, minor = text.partition(".")
    return ApiVersion(preview=False, minor=int(minor) if major == "2" else 0)
