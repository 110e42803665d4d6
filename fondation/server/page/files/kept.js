/** The chats of routes that keep none on the server: this browser keeps them. */

import { remember, remembered } from './memory.js';

const MOST = 50;

export function keptChats(search = '') {
  const wanted = search.toLowerCase();
  return all().filter((chat) =>
    JSON.stringify([chat.title, texts(chat)])
      .toLowerCase()
      .includes(wanted),
  );
}

export function keptChat(id) {
  return all().find((chat) => chat.id === id) ?? null;
}

/** The newest first. Where there is no room, files are left out, then the oldest chats; without any, none lasts. */
export function keepChat({ id, title, route, messages, agent }) {
  const plain = messages.map(({ version, ...message }) => message);
  const chat = { id, title, route: route.path, agent: agent?.agentName ?? null, messages: plain };
  const others = all().filter((other) => other.id !== id);
  write([{ ...chat, excerpt: texts(chat)[0] ?? '', updatedAt: new Date().toISOString() }, ...others]);
}

export function renameKept(id, title) {
  write(all().map((chat) => (chat.id === id ? { ...chat, title } : chat)));
}

export function forgetKept(id) {
  write(all().filter((chat) => chat.id !== id));
}

function all() {
  return remembered('chats') ?? [];
}

function write(chats) {
  const newest = chats.slice(0, MOST);
  for (let count = newest.length; count > 0; count = Math.floor(count / 2)) {
    const kept = newest.slice(0, count);
    if (remember('chats', kept) || remember('chats', kept.map(withoutFiles))) return;
  }
  remember('chats', newest);
}

function withoutFiles(chat) {
  const fits = (part) => part.type !== 'file' || !part.url.startsWith('data:');
  return { ...chat, messages: chat.messages.map((each) => ({ ...each, parts: each.parts.filter(fits) })) };
}

function texts(chat) {
  return chat.messages.flatMap((each) => each.parts.filter((part) => part.type === 'text').map((part) => part.text));
}
