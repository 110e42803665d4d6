/** The person's chats: those that the server keeps, and those of routes whose chats this browser keeps. */

import { deleteChat, listChats, renameChat } from './api.js';
import { forgetKept, keptChats, renameKept } from './kept.js';

/** Chats that are asked for at once; the server gives no more than the most. */
const PAGE = 50;
const MOST = 200;

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

  find(id) {
    return this.items.find((chat) => chat.id === id);
  }

  /** Whether a chat is gone that was there at that time, or at an unknown one: it should be listed, and is not. */
  misses(id, updatedAt) {
    if (!this.isLoaded || this.#search || this.problem || this.find(id)) return false;
    return !this.hasMore || (updatedAt !== null && updatedAt > this.#stored.at(-1).updatedAt);
  }

  search(text) {
    this.#search = text;
    return this.#load({ limit: PAGE });
  }

  /** As many as are shown, as they are now. */
  refresh() {
    return this.#load({ limit: Math.min(MOST, Math.max(PAGE, this.#stored.length)) });
  }

  more() {
    return this.#load({ limit: PAGE, cursor: this.#next });
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
  async #load({ limit, cursor }) {
    const asked = ++this.#asked;
    await this.#change(async () => {
      const search = this.#search;
      const page = this.#isOnServer ? await listChats({ search, limit, cursor }) : { chats: [], next: null };
      if (asked !== this.#asked) return false;
      this.#stored = cursor ? [...this.#stored, ...page.chats] : page.chats;
      this.#next = page.next;
      this.isLoaded = true;
      return true;
    });
  }

  /** `work` says false where nothing came of it. */
  async #change(work) {
    try {
      if ((await work()) === false) return;
      this.problem = null;
    } catch (error) {
      this.problem = error.message;
    }
    const here = keptChats(this.#search).map((chat) => ({ ...chat, isHere: true }));
    this.items = [...this.#stored, ...here].sort((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1));
    this.#onChange();
  }
}
