"""Both pipelines on a sandbox of this machine, and what they did: ``python -m demo``."""
