from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from fondation.config.models import ModelConfig
from fondation.http import HttpClient
from fondation.providers import PROVIDERS, create_provider
from tests.providers.upstream import Upstream
from tests.providers.wire import DONE, ask, chunk, stream, text


def test_the_table_holds_what_the_format_names() -> None:
    assert set(PROVIDERS) == set(get_args(ModelConfig.model_fields["provider"].annotation))


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_provider_has_its_name(name: str, http: HttpClient) -> None:
    config = ModelConfig.model_validate({"provider": name, "id": "acme/large"})
    assert create_provider(config, None, http).name == name


async def test_a_model_is_asked_as_its_configuration_says(upstream: Upstream, http: HttpClient) -> None:
    upstream.reply(stream(text("Hello"), chunk(finish="stop"), DONE))
    config = ModelConfig.model_validate({"provider": "openai", "id": "acme/large", "base_url": upstream.base_url})
    assert (await ask(create_provider(config, "sk-test-1", http))).text == "Hello"
    request = await upstream.request()
    assert request.json["model"] == "acme/large"
    assert request.headers["authorization"] == "Bearer sk-test-1"


def test_providers_are_imported_when_they_are_needed() -> None:
    code = "import sys, fondation.providers; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
