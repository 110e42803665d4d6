"""Which agent begins a run: the client's choice, the one who answered last, a match, or the route's own."""

from __future__ import annotations

from fondation.agents import Agent, Route
from fondation.errors import RequestError
from fondation.run_request import Start


def choose_agent(route: Route, text: str, *, choice: str | None = None, last_agent: str | None = None) -> Start:
    """The agent for a message `text` of the user, the first rule that applies.

    `choice` is the request's `agentChoice` (raises `RequestError` where handoffs do not lead there from the route's
    agent), `last_agent` the one that answered the chat last.
    """
    if choice is not None:
        return Start(_chosen(route, choice), "explicit")
    if route.config.sticky and last_agent is not None and last_agent in route.reachable:
        return Start(route.reachable[last_agent])
    for name in route.agent.handoffs:
        agent = route.reachable[name]
        if agent.matcher is not None and agent.matcher.matches(text):
            return Start(agent, "programmatic")
    return Start(route.agent)


def _chosen(route: Route, choice: str) -> Agent:
    agent = route.reachable.get(choice)
    if agent is None:
        raise RequestError(400, f"agentChoice: one of {', '.join(route.reachable)}")
    return agent
