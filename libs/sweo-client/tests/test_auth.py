from __future__ import annotations

import pytest
from crosswalk.errors import FatalError
from sweo_client import SweoSettings

TOKEN = "s3cret-token"


def settings(**config: object) -> SweoSettings:
    return SweoSettings.from_config(
        {"api_url": "https://api.example.com", "access_token": TOKEN, **config}
    )


def test_complete_settings_are_taken() -> None:
    found = settings(api_url="https://api.eu.example.com/", sweo_version="Preview")
    assert found.api_url == "https://api.eu.example.com"
    assert found.is_preview
    assert settings().version == "2.16"


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"access_token": None}, "SWEO_ACCESS_TOKEN"),
        ({"access_token": "two words"}, "SWEO_ACCESS_TOKEN"),
        ({"api_url": ""}, "SWEO_API_URL"),
        ({"api_url": "api.example.com"}, "not an address"),
        ({"api_url": "ftp://api.example.com"}, "not an address"),
        ({"api_url": "https://api.example.com:port"}, "not an address"),
        ({"api_url": "http://api.example.com"}, "plain http"),
        ({"api_url": "http://127.0.0.1.example.com"}, "plain http"),
        ({"environment": "sandbox"}, "this machine only"),
        ({"environment": "prod", "api_url": "https://localhost:8444"}, "does not talk"),
        ({"environment": "prod", "api_url": "https://127.1.2.3"}, "does not talk"),
        ({"environment": "prod", "api_url": "https://[::1]:8444"}, "does not talk"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(config: dict[str, object], named: str) -> None:
    with pytest.raises(FatalError, match=named) as refusal:
        settings(**config)
    assert TOKEN not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8444", "http://localhost", "http://[::1]:1"])
def test_plain_http_and_the_sandbox_are_for_this_machine(url: str) -> None:
    assert settings(api_url=url, environment="sandbox").api_url == url


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(settings())
