/** A message: who says it, its parts, what it took, and what can be done with it. */

import { textOf } from '../message.js';
import { copyButton } from './copy.js';
import { el, iconButton } from './dom.js';
import { FactsView } from './facts.js';
import { partView } from './parts.js';

const ENDINGS = {
  stopped: 'Stopped.',
  failed: 'The answer broke off.',
  cut: 'The server ended while this was written.',
  streaming: 'The answer broke off.',
};

export class MessageView {
  #chat;
  #views = [];
  #name = el('h2', { class: 'name' });
  #parts = el('div', { class: 'parts' });
  #note = el('p', { class: 'note' });
  #facts = new FactsView();
  #actions = el('span', { class: 'actions' });
  #shown = '';

  constructor(chat, message) {
    this.#chat = chat;
    this.message = message;
    this.isEditing = false;
    const foot = el('footer', {}, this.#facts.node, this.#actions);
    this.node = el('article', { class: `message ${message.role}` }, this.#name, this.#parts, this.#note, foot);
  }

  /** `isLast`: whether it is the newest of its chat. */
  update(isLast) {
    const { message } = this;
    const isBusy = this.#chat.isBusy;
    const shown = JSON.stringify([message.version, isLast, isBusy, this.isEditing, this.#chat.waiting.length]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#name.textContent = author(message);
    if (!this.isEditing) this.#updateParts();
    const ending = isBusy && isLast ? null : ENDINGS[message.metadata.status];
    this.#note.textContent = ending ?? '';
    this.#note.hidden = !ending;
    this.#facts.update(message);
    this.#actions.replaceChildren(...this.#buttons(isLast, isBusy));
  }

  #updateParts() {
    const { parts } = this.message;
    while (this.#views.length > parts.length) this.#views.pop().view?.node.remove();
    parts.forEach((part, place) => {
      const known = this.#views[place];
      if (known?.type !== part.type || known.id !== part.toolCallId) this.#replaceFrom(place);
      this.#views[place] ??= this.#add(part);
      this.#views[place].view?.update(part);
    });
  }

  #replaceFrom(place) {
    for (const { view } of this.#views.splice(place)) view?.node.remove();
  }

  #add(part) {
    const view = partView(this.#chat, this.message, part);
    if (view) this.#parts.append(view.node);
    return { type: part.type, id: part.toolCallId, view };
  }

  #buttons(isLast, isBusy) {
    if (isBusy || this.isEditing) return [];
    const text = textOf(this.message);
    const copy = text ? copyButton('Copy', () => textOf(this.message)) : null;
    if (this.message.role === 'user') {
      return [copy, iconButton('edit', 'Edit', () => this.edit())].filter(Boolean);
    }
    const again = isLast ? iconButton('again', 'Answer again', () => this.#chat.regenerate()) : null;
    return [copy, again].filter(Boolean);
  }

  /** Let the person write the message anew, in its place. */
  edit(text = textOf(this.message)) {
    this.isEditing = true;
    const field = el('textarea', { value: text, rows: 3, 'aria-label': 'Your message', dir: 'auto' });
    const done = (text) => {
      this.isEditing = false;
      this.#replaceFrom(0);
      this.#parts.replaceChildren();
      if (text) this.#chat.edit(this.message.id, text);
      else this.#leave();
    };
    const keys = (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        done(null);
      } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        if (field.value.trim()) done(field.value.trim());
      }
    };
    field.addEventListener('keydown', keys);
    const save = el(
      'button',
      { type: 'button', class: 'primary', onclick: () => field.value.trim() && done(field.value.trim()) },
      'Send',
    );
    const cancel = el('button', { type: 'button', onclick: () => done(null) }, 'Cancel');
    this.#replaceFrom(0);
    this.#parts.replaceChildren(el('div', { class: 'editor' }, field, el('div', { class: 'buttons' }, cancel, save)));
    this.update(false);
    field.focus();
  }

  #leave() {
    this.update(false);
    this.node.querySelector('.actions button:last-child').focus(); // the one to edit
  }
}

function author({ role, metadata }) {
  if (role === 'user') return 'You';
  const chain = metadata.handoffChain ?? [];
  return chain.length > 1 ? chain.join(' → ') : (metadata.agentName ?? 'Assistant');
}
