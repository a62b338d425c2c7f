"""simple-salesforce 1.12, unchanged, its login host built in."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from outside.environments import run_program
from sweo_sandbox.testing import running_sandbox

PROGRAMS = Path(__file__).parent / "programs"


def test_the_whole_client_through_the_hosts_that_it_has_built_in() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public_pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with running_sandbox(jwt_public_key=public_pem.decode()) as sandbox:
        sandbox.org.bulk_load("Lead", [{"LastName": str(i), "Company": "c"} for i in range(4100)])
        port = sandbox.salesforce_url.rpartition(":")[2]
        printed = run_program(
            "simple-salesforce",
            PROGRAMS / "simple_salesforce_rest.py",
            {
                **sandbox.env(),
                "JWT_KEY": private_pem,
                "HTTPS_PROXY": f"http://localhost:{port}",
            },
        )
        facts = json.loads(printed)
        assert facts["hosts"] == [f"localhost:{port}"] * 4
        assert facts["wrong_password"] == "INVALID_LOGIN"
        assert facts["created"]["success"] is True
        assert facts["row"]["Regions__c"] == "AMER;EMEA"
        assert facts["row"]["attributes"]["type"] == "Account"
        assert facts["update"] == facts["delete"] == 204
        assert facts["upserts"] == [201, 200]
        assert facts["by_key"] == "second"
        assert facts["describe"] == "Account"
        assert {"Account", "Contact", "Lead", "Task"} <= set(facts["objects"])
        assert facts["limits"]["Max"] == sandbox.org_settings.daily_calls
        assert sorted(facts["children"]) == [0, 2]
        assert facts["grouped"] == 2
        assert facts["seen"] == 4100
        assert facts["usage"] is True
        assert facts["composite"] == [201, 201]
        assert facts["deleted"] == 1
        assert facts["refusals"] == [
            "INVALID_FIELD",
            "MALFORMED_QUERY",
            "NOT_FOUND",
            "INVALID_FIELD",
            "REQUIRED_FIELD_MISSING",
            "STRING_TOO_LONG",
            "NOT_FOUND",
        ]
        assert facts["bulk_insert"] == [2500, 0]
        # An empty cell leaves the field alone; what is too long fails for its row.
        assert facts["bulk_upsert"] == [3, 1]
        assert "STRING_TOO_LONG" in facts["bulk_failed"]
        assert (facts["bulk_rows"], facts["bulk_pages"]) == (2500, 3)
        names = {row["Sweo_Id__c"]: row["LastName"] for row in sandbox.org.rows("Contact")}
        assert (names["s1"], names["s2"], names["s3"]) == ("new", "b2", "b3")
