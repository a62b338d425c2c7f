"""What the next run would do, by running both pipelines with targets that only say so."""

from __future__ import annotations
