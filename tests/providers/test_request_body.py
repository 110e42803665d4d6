from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from fondation.messages import (
    AssistantMessage,
    FilePart,
    Message,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)
from fondation.providers.base import ForcedTool, ModelRequest, ToolChoice
from fondation.providers.request_body import call_ids, encode_body

WEATHER = ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CALL = ToolCall("c1", "weather", '{"city":"Paris"}')


def body_of(*messages: Message, with_reasoning: bool = False, extras: Any = None, **rest: Any) -> dict[str, Any]:
    request = ModelRequest(messages, **rest)
    body: dict[str, Any] = json.loads(encode_body(request, "acme/large", extras or {}, with_reasoning=with_reasoning))
    return body


def messages_of(*messages: Message, **rest: Any) -> Any:
    return body_of(*messages, **rest)["messages"]


def user(*parts: TextPart | FilePart) -> UserMessage:
    return UserMessage(parts)


def test_a_conversation_in_order() -> None:
    assert body_of(
        SystemMessage("Be brief."),
        user(TextPart("Weather in Paris?")),
        AssistantMessage(tool_calls=(CALL,)),
        ToolResult("c1", "weather", "sunny"),
        AssistantMessage("Sunny."),
        user(TextPart("Thanks")),
        tools=(WEATHER,),
    ) == {
        "model": "acme/large",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather in Paris?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {"role": "assistant", "content": "Sunny."},
            {"role": "user", "content": "Thanks"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Tells the weather.",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                },
            }
        ],
    }


def test_text_beside_tool_calls_stays() -> None:
    (message,) = messages_of(AssistantMessage("Let me see.", (CALL,)))
    assert message["content"] == "Let me see."


def test_empty_messages_are_left_out() -> None:
    assert messages_of(SystemMessage(""), AssistantMessage(), user(TextPart("x"))) == [{"role": "user", "content": "x"}]


DEEP = pytest.param('{"a":' * 5000 + "1" + "}" * 5000, id="deep")


@pytest.mark.parametrize("arguments", ['{"city":', "", "null", "[]", '"x"', "{} {}", DEEP])
def test_arguments_that_are_no_object_go_back_as_none(arguments: str) -> None:
    (message,) = messages_of(AssistantMessage(tool_calls=(ToolCall("c1", "weather", arguments),)))
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize("details", [({"type": "reasoning.text", "text": "Hm", "signature": "s"},), ()])
def test_reasoning_goes_back_to_the_model_that_made_it(details: tuple[Any, ...]) -> None:
    said = AssistantMessage("Hi", model="acme/large", reasoning_details=details)
    assert messages_of(said, with_reasoning=True)[0]["reasoning_details"] == list(details)
    assert "reasoning_details" not in messages_of(said)[0]
    other = AssistantMessage("Hi", model="acme/small", reasoning_details=details)
    assert "reasoning_details" not in messages_of(other, with_reasoning=True)[0]
    unknown = AssistantMessage("Hi", reasoning_details=details)
    assert "reasoning_details" not in messages_of(unknown)[0]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("required", "required"),
        ("none", "none"),
        (ForcedTool("weather"), {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_tool_choices(choice: ToolChoice, sent: Any) -> None:
    assert body_of(user(TextPart("x")), tools=(WEATHER,), tool_choice=choice)["tool_choice"] == sent
    assert "tool_choice" not in body_of(user(TextPart("x")), tool_choice=choice)


def test_the_model_s_own_choice_needs_no_words() -> None:
    assert "tool_choice" not in body_of(user(TextPart("x")), tools=(WEATHER,))


def test_calls_in_the_conversation_need_tools() -> None:
    body = body_of(user(TextPart("x")), AssistantMessage(tool_calls=(CALL,)), ToolResult("c1", "weather", "sunny"))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather"]
    assert body["tool_choice"] == "none"


def test_the_same_tools_are_encoded_once() -> None:
    parameters: dict[str, Any] = {"type": "object"}
    tools = (ToolSpec("a", "A", parameters),)
    first = body_of(user(TextPart("x")), tools=tools)["tools"]
    parameters["changed"] = True
    assert body_of(user(TextPart("x")), tools=(tools[0],))["tools"] == first


def test_settings_are_sent_and_cannot_replace_what_is_ours() -> None:
    settings = {"temperature": 0.5, "provider": {"order": ["acme"]}, "stream": False, "model": "other", "seed": 7}
    body = body_of(user(TextPart("x")), settings=settings, extras={"user": "u"})
    assert body["temperature"] == 0.5
    assert body["provider"] == {"order": ["acme"]}
    assert body["seed"] == 7
    assert body["stream"] is True
    assert body["model"] == "acme/large"
    assert body["user"] == "u"


def test_parallel_calls_are_a_matter_of_tools() -> None:
    settings = {"parallel_tool_calls": False}
    assert "parallel_tool_calls" not in body_of(user(TextPart("x")), settings=settings)
    assert body_of(user(TextPart("x")), settings=settings, tools=(WEATHER,))["parallel_tool_calls"] is False


def data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


PNG = data_url("image/png", b"png")
PDF = data_url("application/pdf", b"pdf")
FILES: list[tuple[FilePart, dict[str, Any]]] = [
    (FilePart(PNG, "image/png"), {"type": "image_url", "image_url": {"url": PNG}}),
    (
        FilePart("https://x.test/a.jpg", "image/jpeg"),
        {"type": "image_url", "image_url": {"url": "https://x.test/a.jpg"}},
    ),
    (
        FilePart(PDF, "application/pdf", "bill.pdf"),
        {"type": "file", "file": {"filename": "bill.pdf", "file_data": PDF}},
    ),
    (
        FilePart("https://x.test/a.pdf", "application/pdf"),
        {"type": "file", "file": {"filename": "file", "file_data": "https://x.test/a.pdf"}},
    ),
    (
        FilePart(data_url("audio/mpeg", b"mp3"), "audio/mpeg"),
        {"type": "input_audio", "input_audio": {"data": "bXAz", "format": "mp3"}},
    ),
    (
        FilePart("https://x.test/a.mp4", "video/mp4"),
        {"type": "video_url", "video_url": {"url": "https://x.test/a.mp4"}},
    ),
    (
        FilePart(data_url("text/csv", "a;é".encode()), "text/csv", "a.csv"),
        {"type": "text", "text": "a.csv:\n\na;é"},
    ),
    (FilePart("data:text/plain,a%20b", "text/plain"), {"type": "text", "text": "a b"}),
    (
        FilePart("data:text/plain;base64,%%%", "text/plain"),
        {"type": "file", "file": {"filename": "file", "file_data": "data:text/plain;base64,%%%"}},
    ),
]


@pytest.mark.parametrize(("file", "part"), FILES, ids=[file.media_type for file, _ in FILES])
def test_files(file: FilePart, part: dict[str, Any]) -> None:
    (message,) = messages_of(user(TextPart("See:"), file))
    assert message["content"] == [{"type": "text", "text": "See:"}, part]


def test_texts_alone_are_one_text() -> None:
    assert messages_of(user(TextPart("a"), TextPart("b")))[0]["content"] == "a\nb"


def test_text_that_is_no_utf8_is_mended() -> None:
    body = body_of(user(TextPart("a\ud83db 🎉")), tools=(WEATHER,))
    assert body["messages"][0]["content"] == "a\ufffdb 🎉"
    assert body["tools"][0]["function"]["name"] == "weather"


def test_the_ids_of_all_calls() -> None:
    messages: list[Message] = [
        AssistantMessage(tool_calls=(CALL, ToolCall("c2", "x", "{}"))),
        ToolResult("c1", "weather", ""),
    ]
    assert list(call_ids(messages)) == ["c1", "c2"]
