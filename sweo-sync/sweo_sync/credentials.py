"""Both sides as the environment variables open them, for the commands that look at them."""

from __future__ import annotations

from collections.abc import Mapping

from salesforce_client.connection import Connection
from salesforce_client.settings import LOGIN_SETTINGS, connection_from
from sweo_client import SweoClient, SweoSettings

_ENVIRONMENTS = ("sandbox", "prod")


def salesforce_connection(environ: Mapping[str, str]) -> Connection | None:
    """A connection by SALESFORCE_*; None where they name no login. Nothing is sent yet.

    Raises:
        FatalError: a variable is missing or forbidden.
    """
    settings = salesforce_settings(environ)
    return connection_from(settings) if settings else None


def salesforce_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The login that SALESFORCE_* describe, by the names of a plugin's settings; empty where they
    name none.
    """
    settings = {
        setting.name: environ[f"SALESFORCE_{setting.name.upper()}"]
        for setting in LOGIN_SETTINGS
        if environ.get(f"SALESFORCE_{setting.name.upper()}")
    }
    if not {"access_token", "client_id"} & set(settings):
        return {}
    return {**settings, **_guard(environ)}


def sweo_client(environ: Mapping[str, str]) -> SweoClient | None:
    """A client by SWEO_API_URL and SWEO_ACCESS_TOKEN; None where there is no token.

    Raises:
        FatalError: a variable is missing or forbidden.
    """
    if not environ.get("SWEO_ACCESS_TOKEN"):
        return None
    settings = {
        "api_url": environ.get("SWEO_API_URL"),
        "access_token": environ["SWEO_ACCESS_TOKEN"],
        "sweo_version": environ.get("SWEO_VERSION"),
        **_guard(environ),
    }
    return SweoClient(SweoSettings.from_config(settings))


def _guard(environ: Mapping[str, str]) -> dict[str, str]:
    """Which hosts may be talked to: Meltano's environments of these names say so."""
    name = environ.get("MELTANO_ENVIRONMENT", "")
    return {"environment": name} if name in _ENVIRONMENTS else {}
