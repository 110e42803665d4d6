/** Costs that answers ended without: they are asked for again, ever more rarely, while their chat shows. */

import { readChat } from './api.js';

/** Milliseconds before each question. */
const PAUSES = [1000, 2000, 5000, 15_000, 60_000, 300_000, 900_000];

export class Settling {
  #timer = null;
  #chat = null;

  /** Ask for those of this chat, and of no other any more. */
  follow(chat) {
    clearTimeout(this.#timer);
    this.#chat = chat;
    this.#wait(chat, 0);
  }

  #wait(chat, tries) {
    const isOver = tries === PAUSES.length || chat.route.chats === 'client' || !chat.messages.some(isLate);
    if (isOver || chat !== this.#chat) return;
    this.#timer = setTimeout(() => this.#ask(chat, tries), PAUSES[tries]);
  }

  async #ask(chat, tries) {
    if (chat.isBusy) return; // it is followed again at its end
    await settle(chat).catch(() => {}); // a server that is away is asked again
    this.#wait(chat, tries + 1);
  }
}

async function settle(chat) {
  const { messages } = await readChat(chat.id);
  const told = new Map(messages.map(({ id, metadata }) => [id, metadata?.usage]));
  for (const message of chat.messages.filter(isLate)) {
    message.metadata = { ...message.metadata, usage: told.get(message.id) ?? message.metadata.usage };
    message.version += 1;
  }
  chat.changed();
}

/** Whether a message of the assistant came to its end before its cost did. */
function isLate({ role, metadata }) {
  if (role !== 'assistant') return false;
  return metadata.usage ? metadata.usage.costSource === 'pending' : metadata.status === 'stopped';
}
