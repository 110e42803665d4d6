// What a page's framework binding would keep of a chat, in memory, and moments in how it grows.

export class MemoryState {
  #status = "ready";
  #listeners = [];
  error = undefined;

  constructor(messages, onWrite) {
    this.messages = messages;
    this.onWrite = onWrite;
  }

  get status() {
    return this.#status;
  }

  set status(status) {
    this.#status = status;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  /** Until nothing is asked or answered, nor about to be by the client itself. */
  async idle() {
    await new Promise(setImmediate);
    while (this.#status === "submitted" || this.#status === "streaming") {
      await new Promise((resolve) => this.#listeners.push(resolve));
      await new Promise(setImmediate);
    }
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

/** Watches the assistant's message grow and calls `action` once: at the write, or the moment, that `after` names. */
export function when(after, action) {
  let grown = 0;
  let length = 0;
  let timer;
  let isDone = false;
  const act = () => {
    clearTimeout(timer);
    if (!isDone) action();
    isDone = true;
  };
  return (message) => {
    if (after.seconds !== null) timer ??= setTimeout(act, after.seconds * 1000);
    const text = message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    if (text.length > length) grown += 1;
    length = text.length;
    if (after.texts !== null && grown >= after.texts) act();
    const running = message.parts.filter((part) => part.state === "input-available").length;
    if (after.tools !== null && running >= after.tools) act();
  };
}
