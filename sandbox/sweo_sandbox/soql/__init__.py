"""SOQL on SQLite: ``compile_query`` reads a query as Salesforce does, or refuses it as it does."""

from __future__ import annotations

from sweo_sandbox.soql.compiler import CompiledQuery, compile_query, install_functions
from sweo_sandbox.soql.errors import SoqlError
from sweo_sandbox.soql.tokens import quoted

__all__ = ["CompiledQuery", "SoqlError", "compile_query", "install_functions", "quoted"]
