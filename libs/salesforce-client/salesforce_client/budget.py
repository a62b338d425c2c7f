"""The daily budget: how many calls our own runs may make within 24 hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from crosswalk.errors import RetryLaterError

from salesforce_client.transport import ApiUsage

DEFAULT_SHARE: Final = 0.2
"""Of the org's daily allotment, which every other integration lives on too."""


@dataclass
class DailyBudget:
    """What is left of the day's calls.

    ``earlier_calls`` tells what our runs before this one made; it is asked once, at the first
    call. Without ``limit_calls`` the limit is a fifth of the allotment, which any answer tells.
    """

    earlier_calls: Callable[[], int] = field(default=lambda: 0)
    limit_calls: int | None = None

    @cached_property
    def _earlier(self) -> int:
        return self.earlier_calls()

    def check(self, calls: int, usage: ApiUsage | None) -> None:
        """Let the next call of this run, which has made ``calls``, pass or not.

        Raises:
            RetryLaterError: the budget is used up.
        """
        limit = self.limit_calls
        if limit is None:
            if usage is None:
                return
            limit = int(usage.allowed * DEFAULT_SHARE)
        if self._earlier + calls >= limit:
            raise RetryLaterError(
                f"Our runs have made {self._earlier + calls} Salesforce calls within 24 hours, and "
                f"{limit} are allowed (setting daily_api_calls); a later run goes on from here."
            )
