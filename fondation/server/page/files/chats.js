/** The person's chats: those that the server keeps, and those of routes whose chats this browser keeps. */

import { deleteChat, listChats, renameChat } from './api.js';
import { forgetKept, keptChats, renameKept } from './kept.js';

export class Chats {
  #onChange;
  #onRemoved;
  #isOnServer;
  #stored = [];
  #next = null;
  #search = '';
  #asked = 0;

  /** `isOnServer`: whether any route's chats are. */
  constructor({ isOnServer, onChange, onRemoved }) {
    this.#isOnServer = isOnServer;
    this.#onChange = onChange;
    this.#onRemoved = onRemoved;
    /** The newest first. */
    this.items = [];
    this.isLoaded = false;
    this.problem = null;
  }

  get hasMore() {
    return this.#next !== null;
  }

  search(text) {
    this.#search = text;
    return this.refresh();
  }

  refresh() {
    return this.#load('');
  }

  more() {
    return this.#load(this.#next);
  }

  rename(chat, title) {
    return this.#change(async () => {
      if (chat.isHere) renameKept(chat.id, title);
      else await renameChat(chat.id, title);
      this.#stored = this.#stored.map((each) => (each.id === chat.id ? { ...each, title } : each));
    });
  }

  remove(chat) {
    return this.#change(async () => {
      if (chat.isHere) forgetKept(chat.id);
      else await deleteChat(chat.id);
      this.#stored = this.#stored.filter((each) => each.id !== chat.id);
      this.#onRemoved(chat.id);
    });
  }

  /** Only the newest request counts: an older one may be answered later. */
  async #load(cursor) {
    const asked = ++this.#asked;
    await this.#change(async () => {
      const page = this.#isOnServer ? await listChats({ search: this.#search, cursor }) : { chats: [], next: null };
      if (asked !== this.#asked) return;
      this.#stored = cursor ? [...this.#stored, ...page.chats] : page.chats;
      this.#next = page.next;
      this.isLoaded = true;
    });
  }

  async #change(work) {
    try {
      await work();
      this.problem = null;
    } catch (error) {
      this.problem = error.message;
    }
    const here = keptChats(this.#search).map((chat) => ({ ...chat, isHere: true }));
    this.items = [...this.#stored, ...here].sort((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1));
    this.#onChange();
  }
}
