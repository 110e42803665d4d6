/** The list of chats: to open, search, rename and delete. */

import { ago } from '../words.js';
import { confirm } from './dialogs.js';
import { el, icon, iconButton } from './dom.js';

/** Milliseconds after the last key before a search is sent. */
const PAUSE = 200;

export class Sidebar {
  #list = el('ul', { class: 'chats' });
  #more = el('button', { type: 'button', class: 'link-button' }, 'Show more');
  #note = el('p', { class: 'note', role: 'status' });
  #field = el('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search chats' });
  #chats;
  #current = null;
  #renaming = null;
  #shown = '';

  /** `chats` is the list; `onNew` begins a chat; `dashboard` is where all costs are shown, or null. */
  constructor(chats, { dashboard, onNew, onClose }) {
    this.#chats = chats;
    const fresh = el('button', { type: 'button', class: 'new-chat', onclick: onNew }, icon('plus'), 'New chat');
    const close = iconButton('close', 'Close the list of chats', onClose, { class: 'icon-button close-sidebar' });
    const search = el('div', { class: 'search' }, icon('search'), this.#field);
    const head = el('div', { class: 'sidebar-head' }, fresh, close);
    this.node = el(
      'nav',
      { class: 'sidebar', id: 'chats', 'aria-label': 'Chats' },
      head,
      search,
      el('div', { class: 'listed' }, this.#list, this.#more, this.#note),
      dashboard && el('a', { class: 'dashboard', href: dashboard }, icon('chart'), 'Usage and costs'),
    );
    let timer;
    this.#field.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => chats.search(this.#field.value.trim()), PAUSE);
    });
    this.#field.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#field.value) event.stopPropagation(); // it empties the field
    });
    this.#more.addEventListener('click', () => chats.more());
  }

  focusSearch() {
    this.#field.focus();
    this.#field.select();
  }

  update(current = this.#current) {
    this.#current = current;
    if (this.#renaming) return;
    const { items, hasMore, problem, isLoaded } = this.#chats;
    const told = items.map(({ id, updatedAt, ...chat }) => [id, updatedAt, titleOf(chat)]);
    const shown = JSON.stringify([told, current, hasMore, problem, isLoaded]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#redraw(items);
    this.#more.hidden = !hasMore;
    const empty = this.#field.value.trim() ? 'No chat has these words.' : 'No chats yet.';
    this.#note.textContent = problem ?? (isLoaded && !items.length ? empty : '');
  }

  /** Whoever was in the list with the keyboard stays there. */
  #redraw(items) {
    const focused = document.activeElement;
    const isInList = this.#list.contains(focused);
    const key = isInList ? focused.closest('li').querySelector('a')?.dataset.key : null;
    this.#list.replaceChildren(...items.map((chat) => this.#item(chat)));
    if (isInList) (this.#link(key) ?? this.node.querySelector('.new-chat')).focus({ preventScroll: true });
  }

  #link(id) {
    return [...this.#list.querySelectorAll('a')].find((link) => link.dataset.key === id);
  }

  #item(chat) {
    const title = titleOf(chat);
    const time = el('time', { dateTime: chat.updatedAt }, ago(chat.updatedAt));
    const link = el(
      'a',
      { href: `#chat/${encodeURIComponent(chat.id)}`, title },
      el('span', { class: 'title', dir: 'auto' }, title),
      ' ',
      time,
    );
    link.dataset.key = chat.id;
    if (chat.id === this.#current) link.setAttribute('aria-current', 'page');
    const item = el('li', {}, link);
    const rename = iconButton('edit', `Rename ${title}`, () => this.#rename(item, chat, title));
    const remove = iconButton('trash', `Delete ${title}`, () => this.#delete(chat, title));
    item.append(el('span', { class: 'item-actions' }, rename, remove));
    return item;
  }

  #rename(item, chat, title) {
    const field = el('input', { type: 'text', value: title, maxLength: 200, 'aria-label': 'Title of the chat' });
    this.#renaming = field;
    const done = (isWanted) => {
      if (this.#renaming !== field) return;
      this.#renaming = null;
      const wanted = field.value.trim();
      if (isWanted && wanted && wanted !== title) this.#chats.rename(chat, wanted);
      this.#shown = '';
      this.update();
      this.#link(chat.id)?.focus();
    };
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') done(true);
      if (event.key === 'Escape') {
        event.stopPropagation();
        done(false);
      }
    });
    field.addEventListener('blur', () => done(true));
    item.replaceChildren(field);
    field.select();
  }

  async #delete(chat, title) {
    const isSure = await confirm(`Delete “${title}”?`, 'All that was said in it is removed for good.', 'Delete');
    if (isSure) this.#chats.remove(chat);
  }
}

export function titleOf({ title, excerpt }) {
  return title || excerpt || 'New chat';
}
