/** The chunks of an answer, whichever protocol its route speaks: those of the UI message stream. */

import { events, lines } from './lines.js';

/** A route of this major or an earlier one answers with the data stream of its time. */
const DATA_STREAM_MAJOR = 4;

export function chunks(body, route) {
  return route.client <= DATA_STREAM_MAJOR ? dataStreamChunks(body) : uiMessageChunks(body);
}

export async function* uiMessageChunks(body) {
  for await (const data of events(body)) {
    if (data === '[DONE]') return;
    yield JSON.parse(data);
  }
}

/** The lines `CODE:JSON` of a data stream, told as chunks. */
export async function* dataStreamChunks(body) {
  const teller = new DataStreamTeller();
  for await (const line of lines(body)) {
    const colon = line.indexOf(':');
    if (colon > 0) yield* teller.tell(line.slice(0, colon), JSON.parse(line.slice(colon + 1)));
  }
}

class DataStreamTeller {
  #open = null; // the text or reasoning that deltas go to
  #count = 0;

  *tell(code, value) {
    if (code === '0' || code === 'g') {
      yield* this.#write(code === '0' ? 'text' : 'reasoning', value);
      return;
    }
    if ('9abcefkd'.includes(code)) yield* this.#close();
    if (Object.hasOwn(TELL, code)) yield* TELL[code](value);
  }

  *#write(kind, delta) {
    if (this.#open?.kind !== kind) {
      yield* this.#close();
      this.#open = { kind, id: `${kind}-${this.#count++}` };
      yield { type: `${kind}-start`, id: this.#open.id };
    }
    yield { type: `${kind}-delta`, id: this.#open.id, delta };
  }

  *#close() {
    if (this.#open) yield { type: `${this.#open.kind}-end`, id: this.#open.id };
    this.#open = null;
  }
}

const TELL = {
  *2(items) {
    for (const { type, data, id } of items) yield { type, data, id, transient: true };
  },
  *3(errorText) {
    yield { type: 'error', errorText };
  },
  *8(items) {
    for (const { type, ...rest } of items) yield* told(type, rest);
  },
  *9({ toolCallId, toolName, args }) {
    yield { type: 'tool-input-available', toolCallId, toolName, input: args };
  },
  *a({ toolCallId, result }) {
    const failed = isFailure(result);
    yield failed
      ? { type: 'tool-output-error', toolCallId, errorText: result.error }
      : { type: 'tool-output-available', toolCallId, output: result };
  },
  *b({ toolCallId, toolName }) {
    yield { type: 'tool-input-start', toolCallId, toolName };
  },
  *c({ toolCallId, argsTextDelta }) {
    yield { type: 'tool-input-delta', toolCallId, inputTextDelta: argsTextDelta };
  },
  *d() {
    yield { type: 'finish' };
  },
  *e() {
    yield { type: 'finish-step' };
  },
  *f({ messageId }) {
    yield { type: 'start', messageId };
    yield { type: 'start-step' };
  },
  *h({ id, url, title }) {
    yield { type: 'source-url', sourceId: id, url, title };
  },
  *k({ data, mimeType }) {
    yield { type: 'file', url: `data:${mimeType};base64,${data}`, mediaType: mimeType };
  },
};

/** An annotation: the message's metadata, a file that is elsewhere, or a part that is kept. */
function* told(type, { data, id, ...metadata }) {
  if (type === 'message-metadata') yield { type, messageMetadata: metadata };
  else if (type === 'data-file') yield { type: 'file', url: data.url, mediaType: data.mediaType };
  else if (type?.startsWith('data-')) yield { type, data, id, isToldTwice: true };
}

/** The protocol has no word for a failed tool: its result says so. */
function isFailure(result) {
  return typeof result?.error === 'string' && Object.keys(result).length === 1;
}
