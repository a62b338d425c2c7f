"""Salesforce REST and Bulk API 2.0 as Sweo Sync uses them."""
