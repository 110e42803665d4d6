/** The requests of the page: the same that any other client sends. */

import { newId } from './ids.js';
import { remember, remembered } from './memory.js';

const BASE = new URL('.', document.baseURI);
const CHATS = '/api/chats';

/** Why a request was not answered as it should be, in words for the person. */
export class Refusal extends Error {
  /** `status` is 0 where there was no answer at all. */
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** What the page is told: the routes, and the address of the dashboard where this browser may see it. */
export function readServer() {
  return json('GET', '/@page/routes');
}

export function listChats(asked) {
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value));
  return json('GET', `${CHATS}?${query}`);
}

export function readChat(id) {
  return json('GET', chatPath(id));
}

export function renameChat(id, title) {
  return json('PATCH', chatPath(id), { title });
}

export async function deleteChat(id) {
  await ask('DELETE', chatPath(id));
}

/** The answer to a turn: a stream of bytes. */
export async function postTurn(route, body, signal) {
  return (await ask('POST', route.path, body, signal)).body;
}

/** The stream of the chat's run from its start; null where nothing runs. */
export async function readRun(route, id, signal) {
  const response = await ask('GET', `${route.path}/${encodeURIComponent(id)}/stream`, undefined, signal);
  return response.status === 204 ? null : response.body;
}

export function stopRun(route, id) {
  return json('POST', `${route.path}/${encodeURIComponent(id)}/stop`);
}

function chatPath(id) {
  return `${CHATS}/${encodeURIComponent(id)}`;
}

/** Whose chats these are: where no proxy names a user, this browser's. */
function session() {
  const known = remembered('session') ?? newId('session');
  remember('session', known);
  return known;
}

async function json(method, path, body) {
  return (await ask(method, path, body)).json();
}

async function ask(method, path, body, signal) {
  const headers = { 'x-session-id': session() };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const options = { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) };
  let response;
  try {
    response = await fetch(new URL(path.slice(1), BASE), options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(0, 'The server cannot be reached. Is it running?');
  }
  if (!response.ok) throw new Refusal(response.status, await reason(response));
  return response;
}

async function reason(response) {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text);
    if (typeof error === 'string' && error) return error;
  } catch {
    // a proxy's own page: its status says more than its HTML
  }
  return `The server answered ${response.status} ${response.statusText}`.trim();
}
