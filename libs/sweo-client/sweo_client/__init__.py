"""The Sweo REST API as Sweo Sync uses it."""

from __future__ import annotations

from sweo_client.auth import SweoSettings
from sweo_client.client import Answer, SweoClient
from sweo_client.errors import ScrollUnavailableError, SweoRefusal

__all__ = ["Answer", "ScrollUnavailableError", "SweoClient", "SweoRefusal", "SweoSettings"]
