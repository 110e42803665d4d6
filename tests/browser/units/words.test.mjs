import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as words from '../../../fondation/server/page/files/words.js';

const { ago, budget, bytes, cost, exactCost, money, rate, tokens, total, withLocalTimes } = words;

test('money has the digits that matter', () => {
  const wanted = {
    0: '$0.00',
    1: '$1.00',
    12.345: '$12.35',
    0.5: '$0.50',
    0.1: '$0.10',
    0.123456: '$0.123',
    0.003351: '$0.00335',
    0.000081: '$0.000081',
    0.0000001: '$0.0000001',
    1234: '$1234.00',
  };
  for (const [dollars, text] of Object.entries(wanted)) assert.equal(money(Number(dollars)), text);
});

test('an unknown cost is never told as nothing', () => {
  assert.equal(cost({ costSource: 'unknown' }), 'cost unknown');
  assert.equal(cost({ costSource: 'pending' }), 'cost not known yet');
  assert.equal(cost({ costSource: 'billed' }), 'cost unknown');
  assert.equal(cost({ costSource: 'unknown', cost: 0 }), 'cost unknown');
  assert.equal(cost({}), 'cost unknown');
  assert.equal(cost(undefined), 'cost unknown');
});

test('a known cost says how it is known', () => {
  assert.equal(cost({ cost: 0.0034, costSource: 'billed' }), '$0.0034');
  assert.equal(cost({ cost: 0, costSource: 'billed' }), '$0.00');
  assert.equal(cost({ cost: 0.01, costSource: 'estimated' }), 'about $0.01');
  assert.equal(cost({ costSource: 'simulated' }), 'simulated');
  assert.equal(cost({ cost: 0, costSource: 'none' }), 'not charged');
});

test('what is known of a cost is told as a part of it', () => {
  assert.equal(cost({ cost: 0.01, costSource: 'unknown' }), 'at least $0.01');
  assert.equal(cost({ cost: 0.01, costSource: 'pending' }), '$0.01 so far');
});

test('a cost is told to the last digit', () => {
  assert.equal(exactCost({ cost: 0.000123456789, costSource: 'billed' }), '$0.000123456789, billed by the provider');
  assert.equal(exactCost({ cost: 1.1, costSource: 'priced' }), "$1.10, by the file's price");
  assert.equal(exactCost({ cost: 1e-12, costSource: 'billed' }), '$0.000000000001, billed by the provider');
  assert.equal(exactCost({ cost: 0, costSource: 'billed' }), '$0.00, billed by the provider');
  assert.equal(exactCost({ cost: 0, costSource: 'pending' }), 'cost not known yet');
  assert.equal(exactCost({ costSource: 'unknown' }), 'cost unknown');
  assert.equal(exactCost({ cost: 0, costSource: 'simulated' }), 'simulated');
});

test('tokens are told one by one and together', () => {
  const all = { promptTokens: 1812, completionTokens: 61, totalTokens: 1873 };
  assert.equal(total(all), '1,812 in, 61 out, 1,873 in all');
  assert.equal(total({ totalTokens: 3 }), '3 in all');
  assert.equal(total({}), '');
});

test('tokens are told where they were counted', () => {
  assert.equal(tokens({ promptTokens: 1812, completionTokens: 61 }), '1,812 tokens in, 61 out');
  assert.equal(tokens({ totalTokens: 5 }), '5 tokens');
  assert.equal(tokens({}), null);
});

test('times are told by how long they are ago', () => {
  const now = new Date('2026-11-23T12:00:00');
  assert.equal(ago('2026-11-23T11:59:30', now), 'just now');
  assert.equal(ago('2026-11-23T11:48:00', now), '12 min ago');
  assert.match(ago('2026-11-23T08:05:00', now), /08:05/);
  assert.match(ago('2026-11-21T08:05:00', now), /Sat/);
  assert.match(ago('2025-11-03T08:05:00', now), /2025/);
  assert.equal(ago('never', now), '');
});

test('sizes', () => {
  assert.deepEqual([bytes(12), bytes(2048), bytes(3_400_000)], ['12 B', '2 KB', '3.4 MB']);
});

test('moments in a sentence are told as here', () => {
  const told = withLocalTimes('All is spent. It begins anew at 2026-12-01T12:00:00Z.');
  assert.match(told, /^All is spent\. It begins anew at .*\b(30|1|2)\b.*\.$/);
  assert.doesNotMatch(told, /T12/);
  assert.equal(withLocalTimes('Nothing of that kind'), 'Nothing of that kind');
});

test('warnings say what is spent, and when it is over', () => {
  assert.match(
    budget({ budget: 'team', spent: 9.2, limit: 10, reset: '2026-12-01T00:00:00Z' }),
    /^Budget team: \$9\.20 of \$10\.00 spent, resets /,
  );
  assert.equal(budget({ budget: 'team', spent: 1, limit: 2 }), 'Budget team: $1.00 of $2.00 spent');
  assert.equal(budget({}), 'Budget: nearly spent');
  assert.equal(rate({ limit: 10, remaining: 0 }), 'Rate limit: 0 of 10 left');
});
