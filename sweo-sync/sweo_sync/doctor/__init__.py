"""The set-up doctor: looks at both sides, samples them, and says the one thing to do."""

from __future__ import annotations
