"""What a simulated model says beside the answer: titles, suggestions and summaries of the words that it is given."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import dropwhile

from fondation.calls import Purpose
from fondation.messages import Message, UserMessage
from fondation.providers.simulated import lexicon
from fondation.providers.simulated.words import fold

_QUOTED = re.compile(r"<(?P<name>\w+)>\n(?P<text>.*?)\n</(?P=name)>", re.DOTALL)
_SENTENCE_END = re.compile(r"[.?!;\n]")
_WORDS_IN_TITLE = 6
_LONGEST_SUMMARY = 400


def write_beside(purpose: Purpose, messages: Sequence[Message]) -> str:
    """The whole text, for any purpose but the answer."""
    asked = next((message.text for message in reversed(messages) if isinstance(message, UserMessage)), "")
    texts = [match["text"] for match in _QUOTED.finditer(asked)] or [asked]
    if purpose == "title":
        return _topic(texts[0]) or "Conversation"
    if purpose == "suggestions":
        topic = _topic(texts[0])
        more = f"Tell me more about: {topic}" if topic else "Tell me more"
        return json.dumps([more, "Can you give me an example?", "What should I do next?"], ensure_ascii=False)
    return f"Simulated summary, no model was called. {' '.join(' '.join(texts).split())[:_LONGEST_SUMMARY]}"


def _topic(text: str) -> str:
    """The first words that say what a text is about: "What is the weather in Lyon?" is about "Weather in Lyon"."""
    sentences = (sentence.split() for sentence in _SENTENCE_END.split(text))
    for words in sentences:
        telling = [*dropwhile(_says_nothing, words)][:_WORDS_IN_TITLE]
        if telling:
            topic = " ".join(telling).rstrip(",:")
            return topic[:1].upper() + topic[1:]
    return ""


def _says_nothing(word: str) -> bool:
    plain = fold(word).strip(",:'\"")
    return not plain or plain in lexicon.STOPWORDS or plain in lexicon.QUESTION_OPENERS | lexicon.GREETINGS
