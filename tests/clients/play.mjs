// One scenario, played by a real client: its own chat, its own transport, its own schema; only the state is ours.

import { events, Wire } from "./wire.mjs";

const SETTLE = 2_000;

/** Play `scenario` (harness.py tells its fields) with the `ai` module `sdk`; gives all that was seen. */
export async function play(sdk, scenario) {
  const wire = new Wire();
  const seen = { data: [], finishes: [], looped: false, timedOut: false, stoppedAt: null };
  const chat = openChat(sdk, scenario, wire, seen);
  await withinLimit(scenario.limit, takeTurns(chat, scenario, seen), () => {
    seen.timedOut = true;
    void chat.stop();
  });
  await wire.settle(seen.timedOut ? 0 : SETTLE);
  return {
    ...seen,
    status: chat.status,
    error: chat.error === undefined ? null : chat.error.message,
    messages: chat.messages,
    exchanges: await Promise.all(wire.exchanges.map((exchange) => withChunks(sdk, exchange))),
  };
}

function openChat(sdk, scenario, wire, seen) {
  class MemoryChat extends sdk.AbstractChat {
    constructor({ messages, ...init }) {
      super({ ...init, state: new MemoryState(messages, (message) => this.watch?.(message)) });
    }
  }
  return new MemoryChat({
    ...(scenario.id === null ? {} : { id: scenario.id }),
    messages: scenario.messages,
    transport: new sdk.DefaultChatTransport({
      api: scenario.url,
      headers: scenario.headers,
      body: scenario.extra,
      fetch: wire.fetch,
      ...(scenario.body === "message" ? { prepareSendMessagesRequest: lastMessageOnly } : {}),
    }),
    onData: (part) => seen.data.push(part),
    onFinish: ({ isAbort, isDisconnect, isError, finishReason = null }) =>
      seen.finishes.push({ isAbort, isDisconnect, isError, finishReason }),
    sendAutomaticallyWhen: (options) => {
      const again = scenario.sendAutomatically && sdk.lastAssistantMessageIsCompleteWithToolCalls(options);
      if (again && wire.posts >= scenario.maxPosts) seen.looped = true;
      return again && wire.posts < scenario.maxPosts;
    },
  });
}

const lastMessageOnly = ({ id, messages, body }) => ({ body: { ...body, id, message: messages.at(-1) } });

/** The state that a page's framework binding would keep, in memory. */
class MemoryState {
  status = "ready";
  error = undefined;

  constructor(messages, onWrite) {
    this.messages = messages;
    this.onWrite = onWrite;
  }

  pushMessage = (message) => {
    this.messages = [...this.messages, this.snapshot(message)];
    this.onWrite(message);
  };

  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };

  replaceMessage = (index, message) => {
    this.messages = this.messages.with(index, this.snapshot(message));
    this.onWrite(message);
  };

  snapshot = (value) => structuredClone(value);
}

async function takeTurns(chat, scenario, seen) {
  for (const { send, regenerate, stopAfter } of scenario.turns) {
    if (seen.timedOut) return;
    chat.watch = stopAfter === null ? undefined : stopper(chat, stopAfter, seen);
    await (regenerate ? chat.regenerate() : chat.sendMessage({ text: send }));
  }
}

/** Watches the assistant's message grow and stops the chat at the write, or the moment, that `stopAfter` names. */
function stopper(chat, stopAfter, seen) {
  let grown = 0;
  let length = 0;
  let timer;
  const stop = () => {
    if (seen.stoppedAt !== null) return;
    clearTimeout(timer);
    seen.stoppedAt = Date.now() / 1000;
    void chat.stop();
  };
  return (message) => {
    if (message.role !== "assistant") return;
    if (stopAfter.seconds !== null) timer ??= setTimeout(stop, stopAfter.seconds * 1000);
    const text = message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    if (text.length > length) grown += 1;
    length = text.length;
    if (stopAfter.texts !== null && grown >= stopAfter.texts) stop();
    const running = message.parts.filter((part) => part.state === "input-available").length;
    if (stopAfter.tools !== null && running >= stopAfter.tools) stop();
  };
}

async function withinLimit(seconds, work, onLimit) {
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(() => resolve(onLimit()), seconds * 1000);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

/** The exchange with each event of its answer, judged by the schema of this very client. */
export async function withChunks(sdk, exchange) {
  const { uiMessageChunkSchema } = sdk;
  const schema = sdk.asSchema(
    typeof uiMessageChunkSchema === "function" ? uiMessageChunkSchema() : uiMessageChunkSchema,
  );
  const streamed = (exchange.responseHeaders["content-type"] ?? "").startsWith("text/event-stream");
  const frames = streamed ? [...events(exchange.raw)] : [];
  const chunks = frames.filter((frame) => frame !== "[DONE]").map((frame) => judge(schema, frame));
  return { ...exchange, chunks: await Promise.all(chunks), done: frames.at(-1) === "[DONE]" };
}

async function judge(schema, frame) {
  let chunk;
  try {
    chunk = JSON.parse(frame);
  } catch (error) {
    return { chunk: { unreadable: frame }, problem: error.message };
  }
  const result = await schema.validate(chunk);
  return { chunk, problem: result.success ? null : result.error.message };
}
