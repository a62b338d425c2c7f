"""The operator command of Sweo Sync."""
