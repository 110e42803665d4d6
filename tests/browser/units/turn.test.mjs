import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newId } from '../../../fondation/server/page/files/ids.js';
import { applyAnswer, turnBody } from '../../../fondation/server/page/files/turn.js';

const ASKED = {
  id: 'u1',
  role: 'user',
  parts: [
    { type: 'file', url: 'data:,x', mediaType: 'text/plain' },
    { type: 'text', text: 'Hi' },
  ],
  metadata: {},
  version: 3,
};
const ANSWER = {
  id: 'a1',
  role: 'assistant',
  parts: [
    { type: 'handoff', from: 'A', to: 'B' },
    { type: 'tool-look', toolCallId: 'c' },
    { type: 'text', text: 'Yo' },
  ],
  metadata: { agent: 'Ann' },
  version: 1,
};

function chat(chats, messages, options = {}) {
  return { id: 'c1', route: { chats }, messages, last: messages.at(-1), options: () => options };
}

test('a route that keeps its chats is sent what is new', () => {
  const { parts } = ASKED;
  assert.deepEqual(turnBody(chat('server', [ANSWER, ASKED]), { kind: 'ask', asked: ASKED }), {
    id: 'c1',
    message: { id: 'u1', role: 'user', parts },
  });
  assert.deepEqual(turnBody(chat('server', [ASKED]), { kind: 'regenerate', answerId: 'a1' }), {
    id: 'c1',
    trigger: 'regenerate-message',
    messageId: 'a1',
  });
});

test('a route that keeps none is sent the conversation, without what is the page`s own', () => {
  const turns = [
    { kind: 'ask', asked: ASKED },
    { kind: 'regenerate', answerId: 'a1' },
  ];
  for (const turn of turns) {
    const { messages } = turnBody(chat('client', [ANSWER, ASKED]), turn);
    assert.deepEqual(messages[0], {
      id: 'a1',
      role: 'assistant',
      parts: [{ type: 'text', text: 'Yo' }],
      metadata: { agent: 'Ann' },
      annotations: [{ type: 'message-metadata', agent: 'Ann' }],
    });
    assert.deepEqual(messages[1], { id: 'u1', role: 'user', parts: ASKED.parts });
  }
});

test('what the person has set goes along', () => {
  const options = { context: { plan: 'x' }, agentChoice: 'Ann' };
  const body = turnBody(chat('server', [ASKED], options), { kind: 'ask', asked: ASKED });
  assert.deepEqual([body.context, body.agentChoice], [{ plan: 'x' }, 'Ann']);
});

test('answers are approvals where the call has the id of one, else outputs', () => {
  const answers = [
    { part: { toolCallId: 'c1', approval: { id: 'ap1' } }, given: { approved: true } },
    { part: { toolCallId: 'c2' }, given: { approved: false, reason: 'no' } },
    { part: { toolCallId: 'c3', approval: { approved: false } }, given: { approved: true } },
    { part: { toolCallId: 'c4' }, given: { output: null } },
    { part: { toolCallId: 'c5' }, given: { errorText: 'broken' } },
  ];
  const body = JSON.parse(JSON.stringify(turnBody(chat('server', [ANSWER]), { kind: 'answer', answers })));
  assert.deepEqual(body, {
    id: 'c1',
    messageId: 'a1',
    approvals: [{ id: 'ap1', approved: true }],
    toolOutputs: [
      { toolCallId: 'c2', output: { approved: false, reason: 'no' } },
      { toolCallId: 'c3', output: { approved: true } },
      { toolCallId: 'c4', output: null },
      { toolCallId: 'c5', errorText: 'broken' },
    ],
  });
});

test('an answer shows in its part at once', () => {
  const asked = { state: 'approval-requested', approval: { id: 'ap1' } };
  applyAnswer(asked, { approved: true });
  assert.deepEqual(asked, { state: 'approval-responded', approval: { id: 'ap1', approved: true } });
  const client = { state: 'input-available' };
  applyAnswer(client, { output: 0 });
  assert.deepEqual(client, { state: 'output-available', output: 0 });
  const failed = { state: 'input-available' };
  applyAnswer(failed, { errorText: 'broken' });
  assert.deepEqual(failed, { state: 'output-error', errorText: 'broken' });
});

test('an id is one of its own, and one that the server takes', () => {
  const ids = new Set(Array.from({ length: 100 }, () => newId('chat')));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^chat_[0-9a-f]{24}$/);
});
