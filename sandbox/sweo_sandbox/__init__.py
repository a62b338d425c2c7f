"""A Salesforce org and a Sweo workspace on this machine."""
