"""The sandbox's Salesforce org."""
