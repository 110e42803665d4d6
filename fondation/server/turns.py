"""A conversation to a run's request: of the whole that a client sends, or of the chat that the server keeps."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from fondation.agents import Route
from fondation.calls import RunInfo
from fondation.chats import CallAnswer, Keeping, TurnPlan, begun, brings_all, match_answers, model_messages, plan_turn
from fondation.errors import ChatStoreError, RequestError
from fondation.memory import recall
from fondation.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from fondation.protocols.conversation import NO_MESSAGE, Conversation
from fondation.protocols.payloads import earlier_runs
from fondation.protocols.ui_message_stream.assemble import Assembler
from fondation.protocols.ui_message_stream.parts import close_calls
from fondation.routing import choose_agent
from fondation.run_request import RunRequest, Start, ToolAnswer
from fondation.server.requests import chat_key, checked_id, context_of
from fondation.stores.chats import Answered, ChatElsewhere, ChatKey, ChatStore, StoredChat, StoredMessage, WaitingCall
from fondation.tokens import new_token
from fondation.tool_results import bounded, failure_text, value_text

log = logging.getLogger("fondation.chats")

KNOWS_APPROVALS = 6
"""The first major of the AI SDK that does."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A request that is ready to run, and where its answer is kept."""

    request: RunRequest
    keeping: Keeping | None = None
    """None where the client keeps the conversation."""
    before: StoredMessage | None = None
    """The message that the run goes on with, as the page that posted has it."""
    untitled: bool = False
    """Whether it is a turn of a kept chat that has no title yet."""


def sent_turn(route: Route, conversation: Conversation, info: RunInfo) -> Turn:
    """The turn of a conversation that its client keeps. Raises `RequestError` (400)."""
    if not any(isinstance(message, UserMessage) for message in conversation.messages):
        raise RequestError(400, NO_MESSAGE)
    token = info.run_id.removeprefix("run_")
    return Turn(
        RunRequest(
            info=info,
            route=route,
            start=choose_agent(
                route,
                conversation.text,
                choice=conversation.agent_choice,
                last_agent=conversation.last_agent,
            ),
            messages=conversation.messages,
            message_id=checked_id("the last message's id", conversation.continues) or f"msg_{token}",
            user_message_id=None if conversation.user_message_id else f"msg_{token}_user",
            context=context_of(route.config.context, conversation.context),
        )
    )


async def kept_turn(
    chats: ChatStore,
    route: Route,
    conversation: Conversation,
    info: RunInfo,
    admit: Callable[[RunRequest], Awaitable[None]],
) -> Turn:
    """The turn of a chat that the server keeps, which has the question and the begun answer when this returns.

    `admit` is awaited before anything is written; what it raises ends the turn.

    While the chat cannot be read, a body that brings the whole conversation is answered from it, and the turn is not
    kept. Raises `RequestError` where the request does not fit the chat, `ChatElsewhere` where its turn is another
    process's, and `ChatStoreError`.
    """
    key, now = chat_key(info), time.time()
    stored, is_kept = await _load(chats, key, conversation)
    run = None if stored is None else stored.run
    if run is not None and run.is_elsewhere:
        raise ChatElsewhere(run)
    plan = plan_turn(stored, conversation, now, lambda: f"msg_{new_token()}")
    waiting = await chats.waiting(key) if _waits(stored) else ()
    answers = () if plan.continued is None else _answers(plan, plan.continued, waiting, now)
    request = RunRequest(
        info=info,
        route=route,
        start=_start(route, plan, conversation, answers),
        messages=_up_to_calls(plan.messages) if answers else tuple(close_calls(plan.messages)),
        message_id=plan.message_id,
        earlier=None if plan.continued is None else earlier_runs(plan.continued.metadata),
        call_ids=() if plan.continued is None else _shown_calls(plan.continued),
        user_message_id=plan.made_id,
        context=context_of(route.config.context, conversation.context),
        answers=tuple(_tool_answers(plan.messages, answers, route.limits.max_tool_result)) if answers else (),
        memory=await recall(chats, key, route.memories),
        summary=plan.summary,
    )
    await admit(request)
    if not is_kept:
        return Turn(request)
    assembler = _assembler(route, plan, answers)
    before = None if plan.continued is None else replace(plan.continued, parts=assembler.parts)
    keeping = _keeping(chats, key, request, plan, assembler, now)
    turn = Turn(request, keeping, before, untitled=stored is None or stored.title is None)
    messages, seen = (*plan.put, begun(keeping)), None if run is None else run.id
    states = _states(waiting, answers)
    if not await chats.begin(key, info.run_id, messages, drop_from=plan.drop_from, seen=seen, answers=states):
        raise RequestError(409, "A waiting call was answered already: load the chat again")
    return turn


async def _load(chats: ChatStore, key: ChatKey, conversation: Conversation) -> tuple[StoredChat | None, bool]:
    """The chat, and whether this turn can be kept in it: not where nobody knows what it has."""
    if conversation.chat_id is None:  # its id was made for this request
        return None, True
    try:
        return await chats.load(key), True
    except ChatStoreError as error:
        if not brings_all(conversation):
            raise
        log.error("chat %s: its turn is answered from the request, and not kept: %s", key.id, error)  # noqa: TRY400
        return None, False


def _waits(stored: StoredChat | None) -> bool:
    return stored is not None and any(message.status == "waiting" for message in stored.messages)


def _answers(
    plan: TurnPlan, continued: StoredMessage, waiting: Sequence[WaitingCall], now: float
) -> tuple[CallAnswer, ...]:
    """The answers to what waits; the plan goes on without any where its message broke off."""
    waiting = [call for call in waiting if call.message_id == continued.id]
    brings_answers = bool(plan.approvals or plan.tool_outputs)
    if not waiting and brings_answers and continued.status in ("complete", "waiting"):
        raise RequestError(409, "No call of this chat waits for that answer: it was answered, or is not of this chat")
    return match_answers(waiting, plan.approvals, plan.tool_outputs, now)


def _start(route: Route, plan: TurnPlan, conversation: Conversation, answers: Sequence[CallAnswer]) -> Start:
    """The agent that waited goes on, else whoever is next. Raises `RequestError` (409) where the route has not that
    agent: the answers would be used up for nothing.
    """
    for answer in answers:
        if (agent := route.reachable.get(answer.call.agent)) is not None:
            return Start(agent)
    if answers:
        waits = answers[0].call.agent
        raise RequestError(409, f"{waits} waits for that answer, and is not on this route: post to the one that asked")
    return choose_agent(route, plan.text, choice=conversation.agent_choice, last_agent=plan.last_agent)


def _shown_calls(message: StoredMessage) -> tuple[str, ...]:
    return tuple(part["toolCallId"] for part in message.parts if "toolCallId" in part)


def _up_to_calls(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages without the results at their end."""
    return tuple(messages[: len(messages) - len(_last_results(messages))])


def _last_results(messages: Sequence[Message]) -> list[ToolResult]:
    """The results at their end, the last one first."""
    results: list[ToolResult] = []
    for message in reversed(messages):
        if not isinstance(message, ToolResult):
            break
        results.append(message)
    return results


def _tool_answers(messages: Sequence[Message], answers: Sequence[CallAnswer], largest: int) -> Iterator[ToolAnswer]:
    """What came of the calls at the end, in the model's order: those that did not wait have their results already."""
    answered = {answer.call.call_id: answer for answer in answers}
    known = {result.call_id: result for result in _last_results(messages)}
    last = _up_to_calls(messages)[-1]
    for call in last.tool_calls if isinstance(last, AssistantMessage) else ():
        if call.id in answered:
            yield _tool_answer(answered[call.id], largest)
        elif call.id in known:
            yield ToolAnswer(call, "done", known[call.id].content)


def _tool_answer(answer: CallAnswer, largest: int) -> ToolAnswer:
    """What the run makes of an answer; a result of the page is at most `largest` bytes, as the server's own are."""
    call = ToolCall(answer.call.call_id, answer.call.tool, answer.call.arguments)
    if answer.state == "approved":
        return ToolAnswer(call, "run")
    if answer.output is None:
        return ToolAnswer(call, "denied", answer.reason)
    output = answer.output
    return ToolAnswer(
        call,
        "done",
        value_text(bounded(output.output, largest)) if output.error is None else failure_text(output.error),
    )


def _assembler(route: Route, plan: TurnPlan, answers: Sequence[CallAnswer]) -> Assembler:
    """What builds the message, with the answers put in as the page did by itself before it posted."""
    approvals = route.config.client >= KNOWS_APPROVALS
    if plan.continued is None:
        return Assembler(approvals=approvals)
    assembler = Assembler.resume(plan.continued.parts, plan.continued.metadata, approvals=approvals)
    for answer in answers:
        if answer.output is not None:
            assembler.take_output(answer.output)
        elif approvals:
            assembler.take_approval(answer.call.call_id, answer.state == "approved", answer.reason)
    return assembler


def _states(waiting: Sequence[WaitingCall], answers: Sequence[CallAnswer]) -> dict[str, Answered]:
    """What becomes of every call that waits; what is not answered, the user went on without."""
    answered: dict[str, Answered] = {answer.call.id: answer.state for answer in answers}
    return {call.id: answered.get(call.id, "passed") for call in waiting}


def _keeping(
    chats: ChatStore, key: ChatKey, request: RunRequest, plan: TurnPlan, assembler: Assembler, now: float
) -> Keeping:
    continued = plan.continued
    told: tuple[Message, ...] = () if continued is None else tuple(model_messages(continued))
    return Keeping(
        store=chats,
        key=key,
        run_id=request.info.run_id,
        plan=plan,
        created_at=now if continued is None else continued.created_at,
        assembler=assembler,
        told=_up_to_calls(told) if request.answers else tuple(close_calls(told)),
    )
