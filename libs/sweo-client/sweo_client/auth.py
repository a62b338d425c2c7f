"""How to reach a workspace, and as whom: complete, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from crosswalk.errors import FatalError

DEFAULT_VERSION: Final = "2.16"
PREVIEW: Final = "Preview"


@dataclass(frozen=True, slots=True)
class SweoSettings:
    """Where the workspace is and what opens it. Make one with ``from_config``.

    ``version`` is a numbered API version or ``Preview``. ``environment`` is ``sandbox``,
    ``prod`` or None (no guard).
    """

    api_url: str
    access_token: str = field(repr=False)
    version: str = DEFAULT_VERSION
    environment: str | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> SweoSettings:
        """Read the plugin settings ``api_url access_token sweo_version environment``.

        Raises:
            FatalError: A setting is missing, or the host is not one that the environment allows.
        """
        settings = cls(
            api_url=str(config.get("api_url") or "").strip().rstrip("/"),
            access_token=str(config.get("access_token") or "").strip(),
            version=str(config.get("sweo_version") or DEFAULT_VERSION),
            environment=str(config["environment"]) if config.get("environment") else None,
        )
        settings._refuse_what_cannot_work()
        return settings

    @property
    def is_preview(self) -> bool:
        """Whether the Preview version is asked for: it searches companies, to the second."""
        return self.version == PREVIEW

    @property
    def checks_merges(self) -> bool:
        """Whether a merge of two contacts that share no email or phone is refused unless it says
        that it is meant (since 2.16).
        """
        return self.is_preview or int(self.version.partition(".")[2] or 0) >= 16

    def _refuse_what_cannot_work(self) -> None:
        if not self.api_url:
            raise FatalError("There is no address of the Sweo API: set `api_url` (SWEO_API_URL).")
        if not self.access_token:
            raise FatalError(
                "There is no Sweo access token: set `access_token` (SWEO_ACCESS_TOKEN)."
            )
        if any(c.isspace() or not c.isprintable() for c in self.access_token):
            raise FatalError(
                "The Sweo access token contains white space: copy `access_token` "
                "(SWEO_ACCESS_TOKEN) again."
            )
        try:
            address = urlsplit(self.api_url)
            host, _ = address.hostname or "", address.port
        except ValueError:
            host = ""
        if not host or address.scheme not in ("http", "https"):
            raise FatalError(
                "`api_url` (SWEO_API_URL) is not an address: it must look like "
                "https://api.example.com."
            )
        loopback = is_loopback(host)
        if address.scheme == "http" and not loopback:
            raise FatalError(
                "`api_url` (SWEO_API_URL) is plain http: the access token travels over https "
                "only, except to this machine."
            )
        if self.environment == "sandbox" and not loopback:
            raise FatalError(
                f"The environment `sandbox` talks to this machine only, and `api_url` names "
                f"{host}: choose the environment `prod`, or start the sandbox."
            )
        if self.environment == "prod" and loopback:
            raise FatalError(
                f"The environment `prod` does not talk to this machine, and `api_url` names "
                f"{host}: set SWEO_API_URL to the workspace's API, or choose `sandbox`."
            )


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
