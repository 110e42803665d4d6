from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fondation.usage.exports import UnreadableExport, read_export

OPENROUTER = """\
generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,\
tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant
gen-1,2026-11-23 08:30:00.713,0.003351,,-0.0032,,0,812,61,0,,anthropic/claude-4.5-sonnet-20250929,Anthropic,standard
gen-2,2026-11-23 08:31:00.000,1.25e-05,,,,0.25,10,1,0,,openai/gpt-5-mini,OpenAI,standard
"""
OPENROUTER_BY_DAY = """\
date,model,model_permaslug,endpoint_id,provider_name,usage,byok_usage_inference,requests,prompt_tokens,completion_tokens
2026-11-23,openai/gpt-4.1,openai/gpt-4.1-2025-04-14,550e8400,OpenAI,0.015,0.012,5,50,125
"""
OPENAI = """\
start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item
1795305600,1795392000,2026-11-22T00:00:00+00:00,2026-11-23T00:00:00+00:00,,,
1795392000,1795478400,2026-11-23T00:00:00+00:00,2026-11-24T00:00:00+00:00,0.003835980000,usd,"gpt-5-nano, input"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "activity.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_openrouters_activity_is_read_call_by_call(tmp_path: Path) -> None:
    export = read_export(write(tmp_path, OPENROUTER))
    assert (export.provider, export.per_call) == ("openrouter", True)
    first, second = export.charges
    assert (first.id, first.time) == ("gen-1", datetime(2026, 11, 23, 8, 30, 0, 713_000, tzinfo=UTC))
    assert (first.model, first.cost) == ("anthropic/claude-4.5-sonnet-20250929", Decimal("0.003351"))
    assert (first.prompt_tokens, first.completion_tokens) == (812, 61)
    assert second.cost == Decimal("0.2500125")  # what the upstream charged to one's own key is part of it


def test_openrouters_activity_is_read_day_by_day(tmp_path: Path) -> None:
    export = read_export(write(tmp_path, OPENROUTER_BY_DAY))
    assert (export.provider, export.per_call) == ("openrouter", False)
    (charge,) = export.charges
    assert (charge.model, charge.other_model) == ("openai/gpt-4.1-2025-04-14", "openai/gpt-4.1")
    assert (charge.requests, charge.cost) == (5, Decimal("0.027"))


def test_openais_costs_are_read(tmp_path: Path) -> None:
    export = read_export(write(tmp_path, OPENAI))
    assert (export.provider, export.per_call) == ("openai", False)
    (charge,) = export.charges
    assert (charge.time, charge.model) == (datetime(2026, 11, 23, tzinfo=UTC), "gpt-5-nano")
    assert (charge.cost, charge.requests) == (Decimal("0.00383598"), None)


def test_columns_are_found_in_any_case_and_order(tmp_path: Path) -> None:
    text = '\ufeffTotal Cost, Timestamp ,MODEL\n"$1,234.50",1795392000,acme/one\n\n'
    export = read_export(write(tmp_path, text))
    (charge,) = export.charges
    assert (export.provider, charge.cost, charge.model) == (None, Decimal("1234.50"), "acme/one")
    assert charge.time == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no column for time (created_at, date"),
        ("", "Its columns are none"),
        ("Date,Tokens\n2026-11-23,4\n", "no column for cost (cost_total, total_cost, usage"),
        ("Date,Tokens\n2026-11-23,4\n", 'Its columns are "date", "tokens"'),
        ("date,cost\n23/11/2026,1\n", 'activity.csv:2: "23/11/2026" is no time like 2026-11-23 08:30:00'),
        ("date,cost\n2026-11-23,1\n2026-11-23,free\n", 'activity.csv:3: "free" is no amount of dollars'),
        ("date,cost\n2026-11-23,NaN\n", "is no amount of dollars"),
        ("date,cost,currency\n2026-11-23,1,EUR\n", 'in US dollars, and this in "EUR"'),
        ("date,cost\n2026-11-23,\n", "holds no charge"),
        ("date,cost\n99999999999999999999,1\n", "is no time"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UnreadableExport) as caught:
        read_export(write(tmp_path, text))
    assert complaint in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableExport, match="cannot be read"):
        read_export(tmp_path / "missing.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(UnreadableExport, match="cannot be read"):
        read_export(tmp_path / "picture.csv")
