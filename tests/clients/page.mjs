// A page with a chat of the real client: its own transport, its own schema; only the state is ours.

import { withChunks } from "./judge.mjs";
import { MemoryState, when } from "./state.mjs";
import { Wire } from "./wire.mjs";

const SETTLE = 2_000;

export class Page {
  #sdk;
  #scenario;
  #wire = new Wire();
  #seen = { data: [], finishes: [], looped: false, stoppedAt: null };
  #chat;
  #watchers = [];

  constructor(sdk, scenario, messages) {
    this.#sdk = sdk;
    this.#scenario = scenario;
    this.#chat = this.#openChat(messages);
  }

  /** Another page of the same chat, with the messages that the server keeps. */
  async reopened() {
    const { url, headers } = this.#scenario;
    const answer = await fetch(new URL(`/api/chats/${this.#chat.id}`, url), { headers });
    const { messages } = await answer.json();
    return new Page(this.#sdk, { ...this.#scenario, id: this.#chat.id }, messages);
  }

  /** Call `action` once, when the assistant's message of this turn has its first text. */
  onText(action) {
    this.#watchers.push(when({ texts: 1, tools: null, seconds: null }, action));
  }

  async take(turn) {
    const { stopAfter = null, cutAfter = null } = turn;
    if (stopAfter !== null) this.#watchers.push(when(stopAfter, () => this.#stop(turn.stop)));
    if (cutAfter !== null) this.#watchers.push(when(cutAfter, () => this.#wire.cut()));
    await this.#act(turn);
    await this.#chat.idle();
    this.#watchers = [];
  }

  async #act({ send, files, message, regenerate, answers, resume }) {
    const chat = this.#chat;
    const named = message == null ? {} : { messageId: chat.messages.at(message).id };
    if (resume) await chat.resumeStream();
    else if (regenerate) await chat.regenerate(named);
    else if (answers.length > 0) await this.#answer(answers);
    else await chat.sendMessage({ ...named, ...(send === null ? {} : { text: send }), files });
  }

  /** Tell the scripted model that it may go on. */
  async release() {
    await fetch(this.#scenario.release, { method: "POST" });
  }

  leave() {
    void this.#chat.stop();
  }

  async seen(timedOut) {
    await this.#wire.settle(timedOut ? 0 : SETTLE);
    const chat = this.#chat;
    return {
      ...this.#seen,
      timedOut,
      chatId: chat.id,
      status: chat.status,
      error: chat.error === undefined ? null : chat.error.message,
      messages: chat.messages,
      exchanges: await Promise.all(this.#wire.exchanges.map((exchange) => withChunks(this.#sdk, exchange))),
    };
  }

  #openChat(messages) {
    const sdk = this.#sdk;
    const scenario = this.#scenario;
    class MemoryChat extends sdk.AbstractChat {
      constructor(init, state) {
        super({ ...init, state });
        this.idle = () => state.idle();
      }
    }
    const chat = new MemoryChat(
      {
        ...(scenario.id === null ? {} : { id: scenario.id }),
        transport: new sdk.DefaultChatTransport({
          api: scenario.url,
          headers: scenario.headers,
          body: scenario.extra,
          fetch: this.#wire.fetch,
          ...(scenario.body === "full" ? {} : { prepareSendMessagesRequest: BODIES[scenario.body] }),
        }),
        onData: (part) => this.#seen.data.push(part),
        onFinish: ({ isAbort, isDisconnect, isError, finishReason = null }) =>
          this.#seen.finishes.push({ isAbort, isDisconnect, isError, finishReason }),
        onToolCall: ({ toolCall }) => {
          const answer = scenario.pageTools[toolCall.toolName];
          // Not awaited: the client would wait for itself.
          if (answer !== undefined) void this.#addOutput(toolCall.toolName, toolCall.toolCallId, answer);
        },
        sendAutomaticallyWhen: (options) => this.#sendsAgain(options),
      },
      new MemoryState(messages, (message) => this.#watch(message)),
    );
    return chat;
  }

  #sendsAgain(options) {
    const sdk = this.#sdk;
    const { sendAutomatically, maxPosts } = this.#scenario;
    const isComplete =
      sdk.lastAssistantMessageIsCompleteWithToolCalls(options) ||
      (sdk.lastAssistantMessageIsCompleteWithApprovalResponses?.(options) ?? false);
    if (!sendAutomatically || !isComplete) return false;
    if (this.#wire.posts >= maxPosts) this.#seen.looped = true;
    return this.#wire.posts < maxPosts;
  }

  /** Answer the calls that wait, in their order, as a user does after the stream. */
  async #answer(answers) {
    const waiting = this.#chat.messages
      .at(-1)
      .parts.filter(({ state }) => state === "input-available" || state === "approval-requested");
    if (waiting.length !== answers.length) throw new Error(`${waiting.length} calls wait, not ${answers.length}`);
    for (const [place, part] of waiting.entries()) {
      const answer = answers[place];
      if (part.state === "approval-requested") {
        const { approved, reason } = answer;
        await this.#chat.addToolApprovalResponse({ id: part.approval.id, approved, reason: reason ?? undefined });
      } else {
        await this.#addOutput(part.type.replace(/^tool-/, ""), part.toolCallId, answer);
      }
    }
  }

  /** As a tool's own result; a client that knows no approvals answers one this way too. */
  #addOutput(tool, toolCallId, { output, errorText, approved, reason }) {
    const chat = this.#chat;
    const add = chat.addToolOutput ?? chat.addToolResult;
    if (errorText !== null) return add({ state: "output-error", tool, toolCallId, errorText });
    const said = approved === null ? output : { approved, ...(reason === null ? {} : { reason }) };
    return add({ tool, toolCallId, output: said });
  }

  #stop(how) {
    if (this.#seen.stoppedAt !== null) return;
    this.#seen.stoppedAt = Date.now() / 1000;
    const { url, headers } = this.#scenario;
    if (how === "run") void fetch(`${url}/${this.#chat.id}/stop`, { method: "POST", headers });
    else void this.#chat.stop();
  }

  #watch(message) {
    if (message.role === "assistant") for (const watcher of [...this.#watchers]) watcher(message);
  }
}

/** What is posted instead of the client's own body. */
const BODIES = {
  message: ({ id, messages, body }) => ({ body: { ...body, id, message: messages.at(-1) } }),
  turn: ({ id, messages, trigger, messageId, body }) => ({
    body: { ...body, id, message: messages.at(-1), trigger, messageId },
  }),
  trigger: ({ id, messages, trigger, messageId, body }) => ({
    body: { ...body, id, trigger, messageId, ...(trigger === "submit-message" ? { message: messages.at(-1) } : {}) },
  }),
};
