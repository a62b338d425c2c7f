"""The ledger's migrations, in order."""
