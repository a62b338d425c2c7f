"""A stock tap: accounts of the sandbox's org, page by page, with a replication key."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

import requests
from singer_sdk import RESTStream, Tap, typing as th
from singer_sdk.pagination import BaseHATEOASPaginator

TEXTS = ("Id", "Name", "Website", "Industry", "Plan__c", "Regions__c", "Customer_Number__c")
PROPERTIES = th.PropertiesList(
    *(th.Property(name, th.StringType) for name in TEXTS),
    th.Property("ARR__c", th.NumberType),
    th.Property("Seats__c", th.NumberType),
    th.Property("Is_Reference__c", th.BooleanType),
    th.Property("Renewal_Date__c", th.DateType),
    th.Property("Owner", th.ObjectType(th.Property("Email", th.StringType))),
    th.Property("SystemModstamp", th.DateTimeType),
)
FIELDS = (*TEXTS, "ARR__c", "Seats__c", "Is_Reference__c", "Renewal_Date__c", "Owner.Email")


class _Pages(BaseHATEOASPaginator):
    def get_next_url(self, response: requests.Response) -> str | None:
        following: str | None = response.json().get("nextRecordsUrl")
        return following


class Accounts(RESTStream[Any]):
    """All accounts, oldest change first."""

    name = "accounts"
    path = "/services/data/v62.0/query"
    url_base = os.environ.get("SALESFORCE_INSTANCE_URL", "")
    records_jsonpath = "$.records[*]"
    primary_keys = ("Id",)
    replication_key = "SystemModstamp"
    schema = PROPERTIES.to_dict()

    @cached_property
    def requests_session(self) -> requests.Session:
        session = requests.Session()
        # The SDK sends prepared requests, which pass by the environment's certificates.
        session.verify = os.environ["REQUESTS_CA_BUNDLE"]
        return session

    @property
    def http_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {os.environ['SALESFORCE_ACCESS_TOKEN']}"}

    def get_new_paginator(self) -> _Pages:
        return _Pages()

    def prepare_request(self, context: Any, next_page_token: Any | None) -> Any:
        request = super().prepare_request(context, None)
        if next_page_token is not None:
            request.url = urljoin(self.url_base, next_page_token.path)
        return request

    def get_url_params(self, context: Any, next_page_token: Any | None) -> dict[str, Any]:
        since = self.get_starting_timestamp(context)
        where = f"WHERE SystemModstamp > {since:%Y-%m-%dT%H:%M:%SZ} " if since else ""
        soql = f"SELECT {', '.join(FIELDS)}, SystemModstamp FROM Account {where}"
        return {"q": soql + "ORDER BY SystemModstamp"}


class StockTap(Tap):
    """Reads the accounts that ``SALESFORCE_INSTANCE_URL`` serves."""

    name = "stock-tap"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[Any]:
        return [Accounts(self)]


if __name__ == "__main__":
    StockTap.cli()
