from __future__ import annotations

import pytest
from pydantic import ValidationError

from fondation.config import Settings


def test_only_what_is_written_is_sent() -> None:
    assert Settings().as_request() == {}
    settings = Settings.model_validate({"temperature": 0, "reasoning": {"effort": "low"}, "extra": {"cache": True}})
    assert settings.as_request() == {"temperature": 0, "reasoning": {"effort": "low"}, "cache": True}


def test_settings_go_over_others_name_by_name() -> None:
    written = {"temperature": 1, "max_tokens": 100, "reasoning": {"effort": "low"}, "extra": {"a": 1, "b": 1}}
    model = Settings.model_validate(written)
    agent = Settings.model_validate({"temperature": 0, "reasoning": {"max_tokens": 5}, "extra": {"b": 2}})
    merged = model.merged(agent)
    assert merged.as_request() == {"temperature": 0, "max_tokens": 100, "reasoning": {"max_tokens": 5}, "a": 1, "b": 2}
    assert merged.extra == {"a": 1, "b": 2}
    assert model.merged(Settings()).as_request() == model.as_request()
    assert Settings().merged(Settings()).as_request() == {}


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"temprature": 1})
