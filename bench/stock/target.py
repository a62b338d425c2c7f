"""A stock target that writes nothing; records are validated as the SDK does by default."""

from __future__ import annotations

from typing import Any

from singer_sdk import Target, typing as th
from singer_sdk.sinks import BatchSink


class NullSink(BatchSink):
    """Takes batches and drops them."""

    max_size = 2_000

    def process_batch(self, context: dict[str, Any]) -> None:
        del context


class StockTarget(Target):
    """Validates, and forgets."""

    name = "stock-target"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = NullSink


if __name__ == "__main__":
    StockTarget.cli()
