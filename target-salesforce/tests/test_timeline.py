"""Tasks of events: what is looked at before the first one."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from crosswalk.errors import FatalError
from salesforce_client.fields import Description
from target_salesforce import timeline


def test_a_user_who_may_not_make_tasks_ends_the_run_before_an_event_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = Description("Task", {}, {}, createable=False)
    monkeypatch.setattr(timeline, "describe", lambda *_: {"Task": hidden})
    connection = Mock()
    with pytest.raises(FatalError, match="Edit Tasks"):
        timeline.Timeline(connection, {}).put(Mock(events=None), [], None)
    connection.request.assert_not_called()
