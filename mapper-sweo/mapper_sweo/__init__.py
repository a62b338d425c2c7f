"""Singer mapper that applies the field configs of Sweo Sync."""
