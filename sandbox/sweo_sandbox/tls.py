"""The sandbox's certificate authority, its server certificate, and the bundle for clients."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import trustme

from sweo_sandbox.credentials import bundle_path

# Names under which clients reach the vendors; a proxy by CONNECT keeps them.
HOST_NAMES = (
    "localhost",
    "127.0.0.1",
    "::1",
    "login.salesforce.com",
    "test.salesforce.com",
    "*.salesforce.com",
    "*.my.salesforce.com",
    "*.sandbox.my.salesforce.com",
    "*.develop.my.salesforce.com",
    "api.pubsub.salesforce.com",
    "*.pubsub.salesforce.com",
    "api.intercom.io",
    "api.eu.intercom.io",
    "api.au.intercom.io",
)


class Authority:
    """A CA kept in a directory, made there at the first start."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.ca_path = directory / "ca.pem"
        self.bundle_path = bundle_path(directory)
        key_path = directory / "ca-key.pem"
        if self.ca_path.exists() and key_path.exists():
            self._ca = trustme.CA.from_pem(self.ca_path.read_bytes(), key_path.read_bytes())
        else:
            self._ca = trustme.CA(organization_name="Sweo Sync sandbox")
            descriptor = os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as key_file:
                key_file.write(self._ca.private_key_pem.bytes())
            self._ca.cert_pem.write_to_path(self.ca_path)
        # The roots of certifi stay in, or pip and Meltano break in a shell that uses this bundle.
        bundle = Path(certifi.where()).read_bytes() + b"\n" + self._ca.cert_pem.bytes()
        if not self.bundle_path.exists() or self.bundle_path.read_bytes() != bundle:
            self.bundle_path.write_bytes(bundle)

    def server_context(self) -> ssl.SSLContext:
        """A server's TLS settings with a fresh certificate for :data:`HOST_NAMES`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._ca.issue_cert(*HOST_NAMES).configure_cert(context)
        return context

    def server_pems(self) -> tuple[bytes, bytes]:
        """A fresh private key and certificate chain for servers that take no ssl context."""
        issued = self._ca.issue_cert(*HOST_NAMES)
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        return issued.private_key_pem.bytes(), chain
