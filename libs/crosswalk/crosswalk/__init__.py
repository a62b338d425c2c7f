"""The rules of Sweo Sync: mappings, values, merge and ledger. No HTTP, no Singer."""
