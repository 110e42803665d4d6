"""The errors that cross rooms.

FondationError
├── ToolError                    a tool says to the model what is wrong
├── EntryPointError              `module:attribute` cannot be loaded or described
├── InstructionsError            an agent's instructions cannot be compiled or rendered
├── ConfigError                  a file has problems; the text lists them
├── RequestError                 a bad request: HTTP status, plain sentence
├── ChatStoreError               chats cannot be read or written
└── ProviderError                a model call failed
    ├── AuthenticationFailed     the provider rejects our key
    ├── CreditsExhausted         the provider wants money
    ├── RateLimited              too many calls; perhaps with a time to wait
    ├── ModerationRefused        the provider refuses the content
    ├── ContextTooLong           the conversation does not fit the model
    ├── ModelNotFound            no such model, or no endpoint that serves it
    ├── ProviderUnavailable      overloaded, down, or the connection broke
    ├── ProviderTimeout          silent for longer than the model's timeout
    └── BadAnswer                an answer that is none: unreadable, empty, cut

What a client may read is the error's `sentence`; the exception's own text is for the log and may hold what the
provider wrote. Neither ever holds a key. Errors that do not leave their room live there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FondationError(Exception):
    """The base of them all."""


class ToolError(FondationError):
    """Raised inside a tool: its text goes to the model, which can mend the call or explain."""


class EntryPointError(FondationError):
    """An entry point cannot be loaded or described; the text says why, and `help` what to do about it."""

    def __init__(self, text: str, help: str = "") -> None:
        super().__init__(f"{text}; {help}" if help else text)
        self.text = text
        self.help = help


class InstructionsError(FondationError):
    """An agent's instructions cannot be compiled or rendered; the text says why and is for the log."""


class ConfigError(FondationError):
    """An agents.yaml cannot be served; the text is what `validate` prints, or which keys are missing."""


class RequestError(FondationError):
    """A request that cannot be run.

    `status` is the HTTP status, the exception's text the body's `error`, `headers` go along (Retry-After,
    Allow), and `details` are further fields of the body.
    """

    def __init__(
        self,
        status: int,
        text: str,
        headers: dict[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers or {}
        self.details = details or {}


class ChatStoreError(FondationError):
    """Chats cannot be read or written now; the text says in which file and why, and is for the log."""


class ProviderError(FondationError):
    """A model call failed. The text is the detail for the log."""

    error_type = "provider"
    """The name that the ledger keeps."""
    sentence = "The model provider failed to answer."
    """What a client may read."""
    http_status = 502
    """The status of a JSON answer that ends so."""
    retryable = False
    """Whether the same call may succeed a moment later."""
    charged: bool | None = None
    """False when the provider surely charged nothing; None when that is not known."""

    def __init__(
        self,
        detail: str,
        *,
        retry_after: float | None = None,
        retryable: bool | None = None,
        charged: bool | None = None,
        stale_connection: bool = False,
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds that the provider asks to wait; None where it does not say."""
        self.stale_connection = stale_connection
        """A kept connection that was dead when it was used again: try again at once."""
        if retryable is not None:
            self.retryable = retryable
        if charged is not None:
            self.charged = charged


class AuthenticationFailed(ProviderError):
    error_type = "authentication"
    sentence = "The model provider rejected the server's API key."
    charged = False


class CreditsExhausted(ProviderError):
    error_type = "credits"
    sentence = "The model provider's account has no credits left."
    charged = False


class RateLimited(ProviderError):
    error_type = "rate_limit"
    sentence = "The model provider is receiving too many requests. Please try again in a moment."
    http_status = 503
    retryable = True
    charged = False

    def __init__(self, detail: str, *, retryable: bool | None = None, **options: Any) -> None:
        super().__init__(detail, retryable=retryable, **options)
        if not self.retryable:
            self.sentence = "The model provider's quota for these requests is used up for now."


class ModerationRefused(ProviderError):
    error_type = "moderation"
    sentence = "The model provider refused this content."
    http_status = 422
    charged = False


class ContextTooLong(ProviderError):
    error_type = "context_length"
    sentence = "This conversation is too long for the model."
    http_status = 422
    charged = False


class ModelNotFound(ProviderError):
    error_type = "not_found"
    sentence = "The model is not available at its provider."
    charged = False


class ProviderUnavailable(ProviderError):
    error_type = "unavailable"
    sentence = "The model provider is not available right now."
    retryable = True


class ProviderTimeout(ProviderError):
    error_type = "timeout"
    sentence = "The model provider took too long to answer."
    http_status = 504
    retryable = True


class BadAnswer(ProviderError):
    error_type = "bad_answer"
    sentence = "The model provider sent an answer that cannot be used."
