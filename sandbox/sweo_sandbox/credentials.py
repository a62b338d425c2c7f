"""Tokens, keys and addresses: what a client needs to reach a sandbox.

Kept apart from the servers, so that ``sweo-sandbox env`` starts quickly.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sweo_sandbox.salesforce.ids import make_id
from sweo_sandbox.salesforce.settings import OrgSettings
from sweo_sandbox.sweo.settings import WorkspaceSettings

ORG_FILE = "org-number"
JWT_KEY_FILE = "salesforce-jwt-key.pem"


def bundle_path(directory: Path) -> Path:
    """Where the certificates lie that a client of this directory's sandbox must trust."""
    return directory / "ca-bundle.pem"


class OtherOrgError(ValueError):
    """The directory holds another org than the one that was asked for; the message names it."""


def ready_access_token(org_number: int = 1) -> str:
    """The ready session of a fresh org; the part before ``!`` is that org's id."""
    return f"{make_id('00D', 1, org_number)[:15]}!sandbox.ready.access.token"


def org_settings_of(org_number: int = 1) -> OrgSettings:
    """What an org is set up with; no two orgs share a token or a user name."""
    settings = OrgSettings(org_number=org_number, access_token=ready_access_token(org_number))
    if org_number != 1:
        settings.refresh_token += f"_{org_number}"
        settings.username = settings.username.replace("@sandbox.", f"@sandbox{org_number}.")
    return settings


def settings_of(
    data_dir: Path, org_number: int | None = None
) -> tuple[OrgSettings, WorkspaceSettings]:
    """What the sandbox in a directory is set up with; its keys are made at the first call.

    Raises:
        OtherOrgError: the directory was made for an org of another number.
    """
    org = org_settings_of(org_number_in(data_dir, org_number))
    org.jwt_public_key = _jwt_public_key(data_dir / JWT_KEY_FILE)
    return org, WorkspaceSettings()


def org_number_in(data_dir: Path, wanted: int | None = None) -> int:
    """Which org a directory holds, or will hold from now on.

    Raises:
        OtherOrgError: it was made for an org of another number.
    """
    path = data_dir / ORG_FILE
    held = int(path.read_text()) if path.exists() else None
    if held is None:
        # A directory of a release before this file holds org 1.
        held = 1 if (data_dir / "salesforce.db").exists() else wanted or 1
        data_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{held}\n")
    if wanted is not None and wanted != held:
        raise OtherOrgError(
            f"{data_dir} holds org {held}, not org {wanted}; choose another --data-dir"
        )
    return held


def environment(
    org: OrgSettings,
    workspace: WorkspaceSettings,
    *,
    salesforce_port: int | None,
    sweo_port: int | None,
    ca_bundle: Path,
    pubsub_port: int | None = None,
) -> dict[str, str]:
    """The variables that ``sweo-sandbox env`` prints, of the sides that are served."""
    bundle = str(ca_bundle.resolve())
    variables: dict[str, str] = {}
    if salesforce_port is not None:
        salesforce_url = f"https://localhost:{salesforce_port}"
        variables |= {
            "SALESFORCE_INSTANCE_URL": salesforce_url,
            "SALESFORCE_LOGIN_URL": salesforce_url,
            "SALESFORCE_CLIENT_ID": org.client_id,
            "SALESFORCE_CLIENT_SECRET": org.client_secret,
            "SALESFORCE_REFRESH_TOKEN": org.refresh_token,
            "SALESFORCE_USERNAME": org.username,
            "SALESFORCE_PASSWORD": org.password,
            "SALESFORCE_SECURITY_TOKEN": org.security_token,
            "SALESFORCE_ACCESS_TOKEN": org.access_token or "",
        }
    if pubsub_port is not None:
        variables["SALESFORCE_PUBSUB_HOST"] = "localhost"
        variables["SALESFORCE_PUBSUB_PORT"] = str(pubsub_port)
    if sweo_port is not None:
        variables |= {
            "SWEO_API_URL": f"https://localhost:{sweo_port}",
            "SWEO_ACCESS_TOKEN": workspace.access_token,
            "SWEO_CLIENT_SECRET": workspace.client_secret,
            "SWEO_JWT_SECRET": workspace.jwt_secret,
        }
    return {
        **variables,
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        "NODE_EXTRA_CA_CERTS": bundle,
    }


def _jwt_public_key(path: Path) -> str:
    """The public half of the key for the JWT bearer login; the private half is in the file."""
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        return _public_pem(made.public_key())
    public = key.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError(f"{path} holds no RSA key")
    return _public_pem(public)


def _public_pem(key: rsa.RSAPublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
