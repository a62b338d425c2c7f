"""The full check, run to its end: slice after slice of both pipelines, with a bar that moves."""

from __future__ import annotations
