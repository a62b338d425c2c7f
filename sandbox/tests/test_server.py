"""Over real sockets: TLS, plain HTTP, CONNECT, cut connections, processes and signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sweo_sandbox.credentials import OtherOrgError
from sweo_sandbox.lock import DataDirectoryInUseError
from sweo_sandbox.pubsub.port import is_installed
from sweo_sandbox.testing import Sandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        # REQUESTS_CA_BUNDLE of the shell would override verify.
        session.trust_env = False
        session.verify = sandbox.ca_bundle
        session.headers["Authorization"] = f"Bearer {sandbox.env()['SWEO_ACCESS_TOKEN']}"
        yield session
    sandbox.clear_faults()


def test_tls_and_plain_http_on_one_port(sandbox, http):
    for url in (sandbox.sweo_url, sandbox.sweo_url.replace("https", "http")):
        assert http.get(f"{url}/_sandbox/health").json()["side"] == "sweo"
    assert http.get(f"{sandbox.salesforce_url}/_sandbox/health").json()["side"] == "salesforce"


@pytest.mark.parametrize("host", ["login.salesforce.com", "acme--dev.sandbox.my.salesforce.com"])
def test_a_hard_coded_host_is_reached_through_a_proxy(sandbox, http, host):
    proxy = sandbox.salesforce_url.replace("https", "http")
    answer = http.get(f"https://{host}/_sandbox/health", proxies={"https": proxy})
    assert answer.json()["side"] == "salesforce"


def test_a_client_without_our_authority_does_not_trust_it(sandbox):
    with requests.Session() as stranger:
        stranger.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            stranger.get(sandbox.sweo_url)


def test_a_lost_answer_is_a_closed_connection_and_the_write_stands(sandbox, http):
    sandbox.fault("sweo", "reset_after", endpoint="POST /companies", times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        http.post(f"{sandbox.sweo_url}/companies", json={"company_id": "lost"})
    assert sandbox.workspace.companies.find(company_id="lost")["company_id"] == "lost"


def test_a_truncated_answer_breaks_off(sandbox, http):
    sandbox.fault("sweo", "truncate", endpoint="*/me", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        http.get(f"{sandbox.sweo_url}/me")
    assert http.get(f"{sandbox.sweo_url}/me").status_code == 200


def test_a_delay_waits(sandbox, http):
    sandbox.fault("sweo", "delay", delay_seconds=0.2, times=1)
    started = time.monotonic()
    http.get(f"{sandbox.sweo_url}/me")
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("sent", [b"", b"C", b"CONNECT", b"CONNECT x\r\n", b"\x16\x03\x01junk"])
def test_broken_beginnings_do_not_stop_the_server(sandbox, http, sent):
    port = int(sandbox.sweo_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(sent)
    assert http.get(f"{sandbox.sweo_url}/me").status_code == 200


def test_the_clocks_are_apart(sandbox, http):
    sandbox.clock_sweo.skew(3600)
    dates = [
        http.get(f"{url}/_sandbox/clock").json()["now"]
        for url in (sandbox.sweo_url, sandbox.salesforce_url)
    ]
    sandbox.clock_sweo.skew(0)
    assert dates[0] - dates[1] == pytest.approx(3600, abs=5)


def test_both_sides_answer_with_the_ready_tokens(sandbox, http):
    env = sandbox.env()
    assert http.get(f"{env['SWEO_API_URL']}/me").status_code == 200
    limits = http.get(
        f"{env['SALESFORCE_INSTANCE_URL']}/services/data/v60.0/sobjects",
        headers={"Authorization": f"Bearer {env['SALESFORCE_ACCESS_TOKEN']}"},
    )
    assert limits.status_code == 200
    organization_id = sandbox.org.rows("Organization")[0]["Id"]
    assert organization_id.startswith(env["SALESFORCE_ACCESS_TOKEN"].split("!")[0])


def test_settings_of_neither_side_are_refused():
    with pytest.raises(TypeError), running_sandbox(colour="red"):
        pass


def test_one_sandbox_per_data_directory(tmp_path):
    with running_sandbox(tmp_path) as first:
        first.workspace.companies.upsert({"company_id": "c1"})
        with (
            pytest.raises(DataDirectoryInUseError, match=str(os.getpid())),
            running_sandbox(tmp_path),
        ):
            pass
    with running_sandbox(tmp_path) as again:
        assert again.workspace.companies.find(company_id="c1")["company_id"] == "c1"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from sweo_sandbox.cli import main; main()", *arguments]


def test_the_command_serves_tells_its_environment_and_ends_on_sigterm(tmp_path: Path):
    place = ["--data-dir", str(tmp_path)]
    ports = ["--salesforce-port", "0", "--sweo-port", "0"]
    server = subprocess.Popen(command("serve", *place, *ports), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("ready: Salesforce https://localhost:")
        second = subprocess.run(
            command("serve", *place), capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert f"in use by process {server.pid}" in second.stderr
        printed = subprocess.run(command("env", *place), capture_output=True, text=True, check=True)
        names = [line.removeprefix("export ").split("=")[0] for line in printed.stdout.splitlines()]
        assert names == [
            "SALESFORCE_INSTANCE_URL",
            "SALESFORCE_LOGIN_URL",
            "SALESFORCE_CLIENT_ID",
            "SALESFORCE_CLIENT_SECRET",
            "SALESFORCE_REFRESH_TOKEN",
            "SALESFORCE_USERNAME",
            "SALESFORCE_PASSWORD",
            "SALESFORCE_SECURITY_TOKEN",
            "SALESFORCE_ACCESS_TOKEN",
            *(["SALESFORCE_PUBSUB_HOST", "SALESFORCE_PUBSUB_PORT"] if is_installed() else []),
            "SWEO_API_URL",
            "SWEO_ACCESS_TOKEN",
            "SWEO_CLIENT_SECRET",
            "SWEO_JWT_SECRET",
            "REQUESTS_CA_BUNDLE",
            "SSL_CERT_FILE",
            "NODE_EXTRA_CA_CERTS",
        ]
        seed = command("seed", *place, "--accounts", "20", "--contacts", "40")
        made = subprocess.run(seed, capture_output=True, text=True, check=True)
        assert "salesforce: " in made.stdout
        assert "companies" in made.stdout
        again = subprocess.run(seed, capture_output=True, text=True, check=False)
        assert again.returncode == 1
        assert "reset it first" in again.stderr
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
    assert not (tmp_path / "running.json").exists()
    gone = subprocess.run(command("env", *place), capture_output=True, text=True, check=False)
    assert "sweo-sandbox serve" in gone.stderr


def test_a_killed_sandbox_loses_no_write_that_it_answered(tmp_path: Path):
    place = ["--data-dir", str(tmp_path), "--salesforce-port", "0", "--sweo-port", "0"]
    server = subprocess.Popen(command("serve", *place), stdout=subprocess.PIPE, text=True)
    answered = []
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[4]
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(tmp_path / "ca-bundle.pem")
            session.headers["Authorization"] = "Bearer sandbox-sweo-access-token"
            for number in range(20):
                session.post(f"{url}/companies", json={"company_id": f"c{number}"})
                answered.append(f"c{number}")
    finally:
        server.kill()
        server.wait(timeout=10)
    with running_sandbox(tmp_path) as again:
        for company_id in answered:
            assert again.workspace.companies.find(company_id=company_id)


def test_two_orgs_of_one_machine_share_no_id_and_no_token(http: requests.Session) -> None:
    with (
        running_sandbox() as first,
        running_sandbox(only="salesforce", org_number=2) as second,
    ):
        assert first.ca_bundle == second.ca_bundle
        assert not hasattr(second, "workspace")
        assert "SWEO_API_URL" not in second.env()
        tokens = [each.env()["SALESFORCE_ACCESS_TOKEN"] for each in (first, second)]
        assert len(set(tokens)) == 2
        assert first.org.organization_id != second.org.organization_id
        assert first.env()["SALESFORCE_REFRESH_TOKEN"] != second.env()["SALESFORCE_REFRESH_TOKEN"]
        made = [each.org.insert("Account", {"Name": "a"}) for each in (first, second)]
        assert made[0][:3] == made[1][:3] == "001"
        assert made[0] != made[1]
        http.verify = second.ca_bundle
        for each, token in zip((second, first), tokens, strict=True):
            url = f"{each.salesforce_url}/services/data/v62.0/limits"
            refused = http.get(url, headers={"Authorization": f"Bearer {token}"})
            assert refused.status_code == 401
        second.reset()
        assert first.org.rows("Account")


def test_an_org_of_another_number_is_not_opened(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, only="salesforce", org_number=3) as sandbox:
        organization = sandbox.org.organization_id
    with running_sandbox(tmp_path) as again:
        assert again.org.organization_id == organization
    with pytest.raises(OtherOrgError, match="holds org 3"), running_sandbox(tmp_path, org_number=2):
        pass


def test_the_command_serves_a_second_org_beside_the_first(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    free = ["--salesforce-port", "0", "--sweo-port", "0"]
    beside = ["--only", "salesforce", "--org-number", "2", "--certificates", str(folders[0])]
    servers = []
    try:
        for folder, more in zip(folders, ([], beside), strict=True):
            place = ["serve", "--data-dir", str(folder), *free, *more]
            servers.append(subprocess.Popen(command(*place), stdout=subprocess.PIPE, text=True))
            assert servers[-1].stdout is not None
            assert servers[-1].stdout.readline().startswith("ready: Salesforce")
        variables = []
        for folder in folders:
            shown = subprocess.check_output(command("env", "--data-dir", str(folder)), text=True)
            lines = [line.removeprefix("export ") for line in shown.splitlines()]
            variables.append(dict(line.split("=", 1) for line in lines))
        assert "SWEO_API_URL" in variables[0]
        assert "SWEO_API_URL" not in variables[1]
        assert variables[0]["SSL_CERT_FILE"] == variables[1]["SSL_CERT_FILE"]
        ids = set()
        with requests.Session() as session:
            session.trust_env = False
            session.verify = variables[0]["SSL_CERT_FILE"].strip("'")
            for each in variables:
                url = f"{each['SALESFORCE_INSTANCE_URL']}/services/oauth2/userinfo"
                token = each["SALESFORCE_ACCESS_TOKEN"].strip("'")
                answer = session.get(url, headers={"Authorization": f"Bearer {token}"})
                ids.add(answer.json()["organization_id"])
        assert len(ids) == 2
    finally:
        for server in servers:
            server.terminate()
            server.wait(timeout=10)
