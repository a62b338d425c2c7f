"""Salesforce fields for Sweo attributes that have none: as a project to review, or made at once."""

from __future__ import annotations
