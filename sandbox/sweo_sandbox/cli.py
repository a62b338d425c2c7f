"""The command ``sweo-sandbox``: serve, env, seed."""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
from pathlib import Path
from typing import Any

import click

from sweo_sandbox.lock import DataDirectoryInUseError, DirectoryLock

RUNNING_FILE = "running.json"
SIDES = ("salesforce", "sweo")
_NAMES = {"salesforce": "Salesforce", "sweo": "Sweo"}
_data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".sandbox"),
    show_default=True,
    help="Where data, certificates and ports are kept.",
)


@click.group()
def main() -> None:
    """A Salesforce org and a Sweo workspace on this machine."""


@main.command()
@_data_dir_option
@click.option("--salesforce-port", type=click.IntRange(0, 65535), default=8443, show_default=True)
@click.option("--sweo-port", type=click.IntRange(0, 65535), default=8444, show_default=True)
@click.option(
    "--pubsub-port",
    type=click.IntRange(0, 65535),
    help="Change events (gRPC).  [default: a free port if the extra pubsub is installed]",
)
@click.option("--only", type=click.Choice(SIDES), help="Serve this side alone.")
@click.option(
    "--org-number",
    type=click.IntRange(1, 99),
    help="Which of several orgs this is; its ids are its own.  [default: what the directory holds]",
)
@click.option(
    "--certificates",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data directory whose authority to share, so that one bundle trusts both.",
)
def serve(
    data_dir: Path,
    salesforce_port: int,
    sweo_port: int,
    pubsub_port: int | None,
    only: str | None,
    org_number: int | None,
    certificates: Path | None,
) -> None:
    """Serve both sides, or one, until SIGTERM or SIGINT. Port 0 takes a free one."""
    from sweo_sandbox.credentials import OtherOrgError
    from sweo_sandbox.installation import open_host
    from sweo_sandbox.pubsub.port import PubSubMissingError, is_installed

    if pubsub_port is None and is_installed():
        pubsub_port = 0
    ports = {"salesforce": salesforce_port, "sweo": sweo_port}
    try:
        host = open_host(
            data_dir,
            ports if only is None else {only: ports[only]},
            pubsub_port=pubsub_port,
            org_number=org_number,
            certificates=certificates,
        )
    except (DataDirectoryInUseError, OSError, OtherOrgError, PubSubMissingError) as error:
        raise click.ClickException(str(error)) from None
    running = data_dir / RUNNING_FILE
    bundle = str(host.authority.bundle_path.resolve())
    facts = {**host.ports, "pid": os.getpid(), "ca_bundle": bundle}
    running.write_text(json.dumps(facts))
    ready = threading.Event()

    def announce() -> None:
        ready.wait()
        shown = "  ".join(
            f"{_NAMES[side]} https://localhost:{host.ports[side]}"
            for side in SIDES
            if side in host.ports
        )
        click.echo(f"ready: {shown}  data in {data_dir}")
        sys.stdout.flush()

    threading.Thread(target=announce, daemon=True).start()
    try:
        host.run_until_signal(ready)
    finally:
        running.unlink(missing_ok=True)
        host.close()


@main.command()
@_data_dir_option
def env(data_dir: Path) -> None:
    """Print export lines for a client of the running sandbox: eval "$(sweo-sandbox env)"."""
    from sweo_sandbox.credentials import environment, settings_of

    running = _running(data_dir)
    org, workspace = settings_of(data_dir)
    variables = environment(
        org,
        workspace,
        salesforce_port=running.get("salesforce"),
        sweo_port=running.get("sweo"),
        ca_bundle=Path(running["ca_bundle"]),
        pubsub_port=running.get("pubsub"),
    )
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command()
@_data_dir_option
@click.option("--accounts", type=click.IntRange(0), default=1000, show_default=True)
@click.option("--contacts", type=click.IntRange(0), default=3000, show_default=True)
@click.option("--random-seed", type=int, default=1, show_default=True)
@click.option("--reset", is_flag=True, help="Empty both sides first.")
def seed(data_dir: Path, accounts: int, contacts: int, random_seed: int, reset: bool) -> None:
    """Fill both sides with matching and non-matching data, running or not."""
    order = {"accounts": accounts, "contacts": contacts, "random_seed": random_seed}
    try:
        lock = DirectoryLock(data_dir)
    except DataDirectoryInUseError:
        made = _seed_running(data_dir, order, reset=reset)
    else:
        from sweo_sandbox.installation import seed_directory

        try:
            made = seed_directory(data_dir, order, reset=reset)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        finally:
            lock.release()
    for side, counts in made.items():
        click.echo(f"{side}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))


def _seed_running(data_dir: Path, order: dict[str, int], *, reset: bool) -> dict[str, Any]:
    running = _running(data_dir)
    made = {}
    for side in SIDES:
        if side in running:
            if reset:
                _order(running, side, "reset", {})
            made[side] = _order(running, side, "seed", order)
    return made


def _running(data_dir: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((data_dir / RUNNING_FILE).read_text())
    except FileNotFoundError:
        raise click.ClickException(
            f"no sandbox runs on {data_dir}; start one with: sweo-sandbox serve"
        ) from None
    return facts


def _order(running: dict[str, Any], side: str, name: str, order: dict[str, Any]) -> Any:
    import ssl
    import urllib.error
    import urllib.request

    port = running[side]
    request = urllib.request.Request(
        f"https://localhost:{port}/_sandbox/{name}",
        data=json.dumps(order).encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(
            context=ssl.create_default_context(cafile=running["ca_bundle"])
        ),
    )
    try:
        with opener.open(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise click.ClickException(json.load(error)["error"]) from None
    except OSError as error:
        raise click.ClickException(f"the sandbox on port {port} does not answer: {error}") from None
