/** A message: its parts and metadata, as the server keeps them too, and how chunks tell one of the assistant. */

import { newId } from './ids.js';

export function newMessage(role, parts) {
  return { id: newId('msg'), role, parts, metadata: {}, version: 0 };
}

/** Feed it every chunk; unknown ones are ignored, so that a newer server is understood as far as possible. */
export class MessageReader {
  /** `onData` gets the data parts; a replay tells the message anew, from its own start. */
  constructor(message, { onData = () => {}, isReplay = false } = {}) {
    this.message = message;
    this.onData = onData;
    this.isReplay = isReplay;
    this.isFinished = false;
    this.error = null;
    /** Where the step under way begins. */
    this.step = message.parts.length;
    /** The texts that deltas are added to. */
    this.texts = new Map();
  }

  read(chunk) {
    const type = String(chunk.type);
    if (type.startsWith('data-')) readData(this, chunk);
    else READERS.get(type)?.(this, chunk);
    this.message.version += 1;
  }

  /** Nothing more comes to what is open: of a call without an outcome it is `said` what became of it. */
  close(said) {
    for (const part of this.message.parts) {
      if (part.state === 'streaming') part.state = 'done';
      if (isOpenCall(part)) Object.assign(part, { state: 'output-error', errorText: said });
    }
    this.message.version += 1;
  }
}

const READERS = new Map([
  ['start', readStart],
  ['message-metadata', merge],
  [
    'start-step',
    (reader) => {
      reader.step = reader.message.parts.length;
      reader.message.parts.push({ type: 'step-start' });
    },
  ],
  ['finish-step', (reader) => reader.texts.clear()],
  ...textReaders('text'),
  ...textReaders('reasoning'),
  ['tool-input-start', (reader, chunk) => putCall(reader, chunk, { state: 'input-streaming', inputText: '' })],
  [
    'tool-input-delta',
    (reader, { toolCallId, inputTextDelta }) => {
      const part = findCall(reader, toolCallId);
      if (part) part.inputText = (part.inputText ?? '') + inputTextDelta;
    },
  ],
  [
    'tool-input-available',
    (reader, chunk) => {
      putCall(reader, chunk, { state: 'input-available', input: chunk.input });
    },
  ],
  [
    'tool-input-error',
    (reader, chunk) => {
      putCall(reader, chunk, { state: 'output-error', input: chunk.input, errorText: chunk.errorText });
    },
  ],
  [
    'tool-output-available',
    (reader, chunk) => {
      setCall(reader, chunk, { state: 'output-available', output: chunk.output });
    },
  ],
  [
    'tool-output-error',
    (reader, chunk) => {
      setCall(reader, chunk, { state: 'output-error', errorText: chunk.errorText });
    },
  ],
  ['tool-output-denied', (reader, chunk) => setCall(reader, chunk, { state: 'output-denied' })],
  [
    'tool-approval-request',
    (reader, chunk) => {
      setCall(reader, chunk, { state: 'approval-requested', approval: { id: chunk.approvalId } });
    },
  ],
  [
    'source-url',
    (reader, { sourceId, url, title }) => {
      reader.message.parts.push({ type: 'source-url', sourceId, url, title });
    },
  ],
  ['file', (reader, { url, mediaType }) => reader.message.parts.push({ type: 'file', url, mediaType })],
  [
    'abort',
    (reader) => {
      reader.message.metadata = { ...reader.message.metadata, status: 'stopped' };
      reader.close('Stopped.');
    },
  ],
  [
    'error',
    (reader, { errorText }) => {
      reader.error = errorText;
      reader.close('The answer broke off.');
    },
  ],
  [
    'finish',
    (reader, chunk) => {
      merge(reader, chunk);
      reader.isFinished = true;
    },
  ],
]);

function readStart(reader, chunk) {
  const { message } = reader;
  if (chunk.messageId) message.id = chunk.messageId;
  if (reader.isReplay) {
    Object.assign(message, { parts: [], metadata: {} });
    reader.step = 0;
    reader.isReplay = false;
  }
  merge(reader, chunk);
}

function merge({ message }, { messageMetadata }) {
  if (messageMetadata) message.metadata = merged(message.metadata, messageMetadata);
}

/** The three chunks of a text, or of reasoning. */
function textReaders(type) {
  const key = ({ id }) => `${type} ${id}`;
  const start = (reader, chunk) => {
    const part = { type, text: '', state: 'streaming' };
    reader.texts.set(key(chunk), part);
    reader.message.parts.push(part);
    return part;
  };
  const add = (reader, chunk) => {
    const part = reader.texts.get(key(chunk)) ?? start(reader, chunk);
    part.text += chunk.delta;
  };
  const end = (reader, chunk) => {
    const part = reader.texts.get(key(chunk));
    if (part) part.state = 'done';
    reader.texts.delete(key(chunk));
  };
  return [
    [`${type}-start`, start],
    [`${type}-delta`, add],
    [`${type}-end`, end],
  ];
}

function readData(reader, { type, id, data, transient, isToldTwice }) {
  if (!transient) keepData(reader.message.parts, type, id, data);
  if (!isToldTwice) reader.onData(type.slice('data-'.length), data);
}

function keepData(parts, type, id, data) {
  const known = id === undefined ? null : parts.find((part) => part.type === type && part.id === id);
  if (known) known.data = data;
  else parts.push(id === undefined ? { type, data } : { type, id, data });
}

/** A model may use an id again in a later step: that is another call. */
function putCall(reader, { toolCallId, toolName }, fields) {
  let part = findCall(reader, toolCallId, reader.step);
  if (!part) {
    part = { type: `tool-${toolName}`, toolCallId };
    reader.message.parts.push(part);
  }
  Object.assign(part, fields);
}

function setCall(reader, { toolCallId }, fields) {
  const part = findCall(reader, toolCallId);
  if (part) Object.assign(part, fields);
}

function findCall({ message }, toolCallId, from = 0) {
  return message.parts.findLast((part, place) => place >= from && part.toolCallId === toolCallId);
}

/** Whether a part is a tool call that has no outcome yet. */
export function isOpenCall(part) {
  return part.toolCallId !== undefined && !['output-available', 'output-error', 'output-denied'].includes(part.state);
}

export function textOf(message) {
  return message.parts
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n\n');
}

/** Objects within objects too. */
function merged(known, more) {
  const result = { ...known };
  for (const [name, value] of Object.entries(more)) {
    const before = Object.hasOwn(result, name) ? result[name] : undefined;
    result[name] = isObject(value) && isObject(before) ? merged(before, value) : value;
  }
  return result;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
