import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConnectionLost, events, lines } from '../../../fondation/server/page/files/lines.js';
import { MessageReader, textOf } from '../../../fondation/server/page/files/message.js';
import { chunks, dataStreamChunks } from '../../../fondation/server/page/files/protocols.js';

/** A body that comes in these pieces. */
function body(...pieces) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece);
      controller.close();
    },
  });
}

async function all(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

function read(...told) {
  const message = { id: 'made', role: 'assistant', parts: [], metadata: {}, version: 0 };
  const data = [];
  const reader = new MessageReader(message, { onData: (...each) => data.push(each) });
  for (const chunk of told) reader.read(chunk);
  return { message, reader, data };
}

test('lines end in CR, LF or both, wherever the bytes are cut', async () => {
  const text = 'one\r\ntwo\rthree\n\nfive é 🙂\u2028same\r\n';
  const wanted = ['one', 'two', 'three', '', 'five é 🙂\u2028same'];
  const bytes = new TextEncoder().encode(text);
  assert.deepEqual(await all(lines(body(text))), wanted);
  assert.deepEqual(await all(lines(body(...Array.from(bytes, (byte) => new Uint8Array([byte]))))), wanted);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    assert.deepEqual(await all(lines(body(bytes.slice(0, cut), bytes.slice(cut)))), wanted);
  }
});

test('of events comments and other fields are ignored, data of several lines is one', async () => {
  const text = ': keep-alive\n\nevent: x\nid: 1\ndata: one\n\ndata:two\ndata:  three\n\n\n\ndata: four';
  assert.deepEqual(await all(events(body(text))), ['one', 'two\n three', 'four']);
});

test('nothing is read behind [DONE], and a stream without it is read to its end', async () => {
  const route = { client: 5 };
  const finish = 'data: {"type":"finish"}\n\n';
  assert.deepEqual(await all(chunks(body(finish, 'data: [DONE]\n\n', finish), route)), [{ type: 'finish' }]);
  assert.deepEqual(await all(chunks(body(finish), route)), [{ type: 'finish' }]);
});

test('a broken connection is told as such', async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError('network error')) });
  await assert.rejects(all(lines(broken)), ConnectionLost);
});

test('who stops reading leaves the connection', async () => {
  let isLeft = false;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('a line\n')),
    cancel: () => {
      isLeft = true;
    },
  });
  for await (const line of lines(endless)) {
    assert.equal(line, 'a line');
    break;
  }
  assert.equal(isLeft, true);
});

test('an answer is put together', () => {
  const { message, reader, data } = read(
    { type: 'start', messageId: 'msg_1', messageMetadata: { agent: 'Triage', usage: { a: 1 } } },
    { type: 'data-agent-status', data: { status: 'routing' }, transient: true },
    { type: 'start-step' },
    { type: 'reasoning-start', id: 'r' },
    { type: 'reasoning-delta', id: 'r', delta: 'Hm' },
    { type: 'reasoning-end', id: 'r' },
    { type: 'tool-input-start', toolCallId: 'c1', toolName: 'look' },
    { type: 'tool-input-delta', toolCallId: 'c1', inputTextDelta: '{"a"' },
    { type: 'tool-input-available', toolCallId: 'c1', toolName: 'look', input: { a: 1 } },
    { type: 'tool-output-available', toolCallId: 'c1', output: null },
    { type: 'finish-step' },
    { type: 'start-step' },
    { type: 'text-start', id: 't' },
    { type: 'text-delta', id: 't', delta: 'Hel' },
    { type: 'text-delta', id: 't', delta: 'lo' },
    { type: 'text-end', id: 't' },
    { type: 'finish-step' },
    { type: 'finish', messageMetadata: { model: 'm', usage: { b: 2 } } },
  );
  assert.equal(message.id, 'msg_1');
  assert.deepEqual(message.metadata, { agent: 'Triage', model: 'm', usage: { a: 1, b: 2 } });
  assert.deepEqual(message.parts, [
    { type: 'step-start' },
    { type: 'reasoning', text: 'Hm', state: 'done' },
    {
      type: 'tool-look',
      toolCallId: 'c1',
      state: 'output-available',
      inputText: '{"a"',
      input: { a: 1 },
      output: null,
    },
    { type: 'step-start' },
    { type: 'text', text: 'Hello', state: 'done' },
  ]);
  assert.deepEqual(data, [['agent-status', { status: 'routing' }]]);
  assert.equal(textOf(message), 'Hello');
  assert.ok(reader.isFinished);
});

test('a call id that is used again in a later step is another call; its outcome goes to the newest', () => {
  const call = (input) => ({ type: 'tool-input-available', toolCallId: 'c', toolName: 'look', input });
  const { message } = read(
    { type: 'start-step' },
    call(1),
    { type: 'tool-output-available', toolCallId: 'c', output: 'one' },
    { type: 'finish-step' },
    { type: 'start-step' },
    call(2),
    { type: 'tool-output-error', toolCallId: 'c', errorText: 'two' },
  );
  assert.deepEqual(
    message.parts.filter((part) => part.toolCallId).map(({ input, output, errorText }) => [input, output, errorText]),
    [
      [1, 'one', undefined],
      [2, undefined, 'two'],
    ],
  );
});

test('an outcome may come a step later, and approvals are asked and denied', () => {
  const { message } = read(
    { type: 'start-step' },
    { type: 'tool-input-available', toolCallId: 'c', toolName: 'pay', input: {} },
    { type: 'tool-approval-request', approvalId: 'a1', toolCallId: 'c' },
    { type: 'finish-step' },
    { type: 'start-step' },
    { type: 'tool-output-denied', toolCallId: 'c' },
  );
  assert.deepEqual(message.parts[1], {
    type: 'tool-pay',
    toolCallId: 'c',
    state: 'output-denied',
    input: {},
    approval: { id: 'a1' },
  });
});

test('data with an id is replaced where it stands; transient data is not kept', () => {
  const { message, data } = read(
    { type: 'data-report', id: 'r', data: 1 },
    { type: 'data-x', data: 'kept' },
    { type: 'data-report', id: 'r', data: 2 },
    { type: 'data-progress', data: 50, transient: true },
  );
  assert.deepEqual(message.parts, [
    { type: 'data-report', id: 'r', data: 2 },
    { type: 'data-x', data: 'kept' },
  ]);
  assert.equal(data.length, 4);
});

test('what is unknown or out of place is passed over', () => {
  const { message } = read(
    { type: 'from-the-future', value: 1 },
    { type: 'constructor' },
    { type: '__proto__' },
    {},
    { type: 'tool-output-available', toolCallId: 'nobody', output: 1 },
    { type: 'tool-input-delta', toolCallId: 'nobody', inputTextDelta: 'x' },
    { type: 'text-end', id: 'nobody' },
    { type: 'text-delta', id: 'late', delta: 'still shown' },
    { type: 'finish', messageMetadata: JSON.parse('{"__proto__": {"polluted": true}}') },
  );
  assert.deepEqual(
    message.parts.map(({ text }) => text),
    ['still shown'],
  );
  assert.equal({}.polluted, undefined);
});

test('an error and an abort close what is open', () => {
  const open = [
    { type: 'text-start', id: 't' },
    { type: 'text-delta', id: 't', delta: 'Hel' },
    { type: 'tool-input-start', toolCallId: 'c', toolName: 'look' },
  ];
  const failed = read(...open, { type: 'error', errorText: 'It broke. (run 1)' }, { type: 'finish' });
  assert.equal(failed.reader.error, 'It broke. (run 1)');
  assert.deepEqual(
    failed.message.parts.map(({ state }) => state),
    ['done', 'output-error'],
  );
  const stopped = read(...open, { type: 'abort' }, { type: 'finish' });
  assert.equal(stopped.message.metadata.status, 'stopped');
  assert.deepEqual(
    stopped.message.parts.map(({ state }) => state),
    ['done', 'output-error'],
  );
});

test('a data stream is told as the same chunks', async () => {
  const text = [
    '8:[{"type":"message-metadata","agent":"Ann","runId":"r"}]',
    '2:[{"type":"data-agent-status","data":{"status":"executing"},"agentName":"Ann"}]',
    'f:{"messageId":"msg_1"}',
    'g:"Hm"',
    '0:"Hel"',
    '0:"lo"',
    'b:{"toolCallId":"c","toolName":"look"}',
    'c:{"toolCallId":"c","argsTextDelta":"{}"}',
    '9:{"toolCallId":"c","toolName":"look","args":{}}',
    'a:{"toolCallId":"c","result":{"error":"It failed."}}',
    'e:{"finishReason":"tool-calls","isContinued":false}',
    'f:{"messageId":"msg_1"}',
    '0:"Again"',
    'h:{"sourceType":"url","id":"s","url":"https://x.example"}',
    'k:{"data":"AAAA","mimeType":"image/png"}',
    '8:[{"type":"data-report","data":1,"id":"r"}]',
    '2:[{"type":"data-report","data":1,"id":"r","agentName":"Ann"}]',
    'constructor:1',
    'z:{}',
    'e:{}',
    '8:[{"type":"message-metadata","model":"m"}]',
    'd:{"finishReason":"stop"}',
    '',
  ].join('\n');
  const { message, reader, data } = read(...(await all(dataStreamChunks(body(text)))));
  assert.equal(message.id, 'msg_1');
  assert.deepEqual(message.metadata, { agent: 'Ann', runId: 'r', model: 'm' });
  assert.deepEqual(
    message.parts.map(({ type, text, state, errorText }) => [type, text ?? errorText, state]),
    [
      ['step-start', undefined, undefined],
      ['reasoning', 'Hm', 'done'],
      ['text', 'Hello', 'done'],
      ['tool-look', 'It failed.', 'output-error'],
      ['step-start', undefined, undefined],
      ['text', 'Again', 'done'],
      ['source-url', undefined, undefined],
      ['file', undefined, undefined],
      ['data-report', undefined, undefined],
    ],
  );
  assert.deepEqual(data, [
    ['agent-status', { status: 'executing' }],
    ['report', 1],
  ]);
  assert.ok(reader.isFinished);
  assert.equal(read(...(await all(dataStreamChunks(body('3:"Broken."\n'))))).reader.error, 'Broken.');
});
