"""Drives an org through simple-salesforce: login at the built-in host, REST, composite, Bulk 2."""

import json
import os
from datetime import datetime, timedelta, timezone

from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

env = os.environ
facts = {}

try:
    Salesforce(username=env["SALESFORCE_USERNAME"], password="wrong", security_token="")
except SalesforceAuthenticationFailed as error:
    facts["wrong_password"] = error.code


def refused(action, kind):
    try:
        action()
    except kind as error:
        return error.content[0]["errorCode"] if isinstance(error.content, list) else error.content
    raise AssertionError(f"nothing was raised where {kind.__name__} was due")


# Every login goes to https://login.salesforce.com or a My Domain host, through HTTPS_PROXY.
by_password = Salesforce(
    username=env["SALESFORCE_USERNAME"],
    password=env["SALESFORCE_PASSWORD"],
    consumer_key=env["SALESFORCE_CLIENT_ID"],
    consumer_secret=env["SALESFORCE_CLIENT_SECRET"],
)
by_soap = Salesforce(
    username=env["SALESFORCE_USERNAME"],
    password=env["SALESFORCE_PASSWORD"],
    security_token=env["SALESFORCE_SECURITY_TOKEN"],
)
by_client = Salesforce(
    consumer_key=env["SALESFORCE_CLIENT_ID"],
    consumer_secret=env["SALESFORCE_CLIENT_SECRET"],
    domain="acme.my",
)
by_jwt = Salesforce(
    username=env["SALESFORCE_USERNAME"],
    consumer_key=env["SALESFORCE_CLIENT_ID"],
    privatekey=env["JWT_KEY"],
)
for salesforce in (by_soap, by_password, by_client, by_jwt):
    facts.setdefault("hosts", []).append(salesforce.sf_instance)
sf = by_client

made = sf.Account.create({"Name": "Acme", "Regions__c": "AMER;EMEA"})
facts["created"] = made
facts["row"] = dict(sf.Account.get(made["id"]))
facts["update"] = sf.Account.update(made["id"], {"Name": "Acme 2"})
facts["upserts"] = [
    sf.Account.upsert("Customer_Number__c/7", {"Name": name}) for name in ("first", "second")
]
facts["by_key"] = sf.Account.get_by_custom_id("Customer_Number__c", "7")["Name"]
facts["describe"] = sf.Account.describe()["name"]
facts["objects"] = [each["name"] for each in sf.describe()["sobjects"]]
facts["limits"] = sf.limits()["DailyApiRequests"]
for number in range(2):
    sf.Contact.create({"LastName": f"L{number}", "AccountId": made["id"], "Email": "x@acme.co"})
facts["children"] = [
    len(row["Contacts"]["records"]) if row["Contacts"] else 0
    for row in sf.query_all("SELECT Id, (SELECT Id FROM Contacts) FROM Account ORDER BY Name")[
        "records"
    ]
]
facts["grouped"] = sf.query("SELECT COUNT(Id) n, Email FROM Contact GROUP BY Email")["records"][0][
    "n"
]
facts["seen"] = sum(1 for _ in sf.query_all_iter("SELECT Id, Name FROM Lead"))
facts["usage"] = sf.api_usage["api-usage"].used > 0
facts["composite"] = [
    part["httpStatusCode"]
    for part in sf.restful(
        "composite",
        method="POST",
        json={
            "allOrNone": True,
            "compositeRequest": [
                {
                    "method": "POST",
                    "url": "/services/data/v62.0/sobjects/Account",
                    "referenceId": "a",
                    "body": {"Name": "Composed"},
                },
                {
                    "method": "POST",
                    "url": "/services/data/v62.0/sobjects/Contact",
                    "referenceId": "c",
                    "body": {"LastName": "Composed", "AccountId": "@{a.id}"},
                },
            ],
        },
    )["compositeResponse"]
]
facts["delete"] = sf.Account.delete(made["id"])
now = datetime.now(timezone.utc)
log = sf.Account.deleted(now - timedelta(hours=1), now + timedelta(minutes=1))
facts["deleted"] = len(log["deletedRecords"])

facts["refusals"] = [
    refused(lambda: sf.query("SELECT Nope FROM Account"), SalesforceMalformedRequest),
    refused(lambda: sf.query("SELECT Id FROM Account WHERE"), SalesforceMalformedRequest),
    refused(lambda: sf.Account.get("001000000000000AAA"), SalesforceResourceNotFound),
    refused(lambda: sf.Account.create({"Nope": 1}), SalesforceMalformedRequest),
    refused(lambda: sf.Account.create({}), SalesforceMalformedRequest),
    refused(lambda: sf.Account.create({"Name": "x" * 300}), SalesforceMalformedRequest),
    refused(lambda: sf.Nope__c.create({"Name": "x"}), SalesforceResourceNotFound),
]

# Bulk 2: the client sleeps five seconds between looks unless it is told otherwise.
bulk = sf.bulk2.Contact
(done,) = bulk.insert(
    records=[{"LastName": f"b{i}", "Sweo_Id__c": f"s{i}"} for i in range(2500)], wait=0.05
)
facts["bulk_insert"] = [done["numberRecordsProcessed"], done["numberRecordsFailed"]]
(done,) = bulk.upsert(
    records=[
        {"Sweo_Id__c": "s1", "LastName": "new"},
        {"Sweo_Id__c": "s2", "LastName": ""},
        {"Sweo_Id__c": "s3", "LastName": "x" * 300},
    ],
    external_id_field="Sweo_Id__c",
    wait=0.05,
)
facts["bulk_upsert"] = [done["numberRecordsProcessed"], done["numberRecordsFailed"]]
facts["bulk_failed"] = bulk.get_failed_records(done["job_id"])
pages = list(
    bulk.query(
        "SELECT Id, LastName FROM Contact WHERE Sweo_Id__c != null", max_records=1000, wait=0.05
    )
)
facts["bulk_rows"] = sum(page.count("\n") - 1 for page in pages)
facts["bulk_pages"] = len(pages)
print(json.dumps(facts))
