/** The conversation: its messages in their order, what is wrong, and what may be said next. */

import * as words from '../words.js';
import { el, icon, iconButton } from './dom.js';
import { MessageView } from './message.js';

/** Pixels from the end within which the person reads along. */
const NEAR = 80;

const BUSY = {
  loading: 'Loading…',
  submitted: 'Waiting for an answer…',
  reconnecting: 'The connection was lost. Looking for the answer…',
};

export class ConversationView {
  #chat = null;
  #views = [];
  #log = el('div', { class: 'log', role: 'log', 'aria-label': 'Conversation', 'aria-live': 'off', tabIndex: 0 });
  #welcome = el('div', { class: 'welcome' });
  #warnings = el('div', { class: 'warnings', role: 'status' });
  #problem = el('div', { class: 'problem', role: 'alert' });
  #busy = el('p', { class: 'busy' });
  #suggestions = el('div', { class: 'suggestions' });
  #shown = '';
  #down = iconButton('down', 'To the newest message', () => this.toEnd(), {
    class: 'icon-button to-end',
    hidden: true,
  });
  #isFollowed = true;

  constructor() {
    const column = el(
      'div',
      { class: 'column' },
      this.#welcome,
      this.#log,
      this.#busy,
      this.#problem,
      this.#suggestions,
    );
    this.scroller = el('div', { class: 'scroller' }, column);
    this.node = el('div', { class: 'conversation' }, this.#warnings, this.scroller, this.#down);
    this.scroller.addEventListener('scroll', () => this.#followed());
  }

  show(chat) {
    this.#chat = chat;
    this.#views = [];
    this.#log.replaceChildren();
    this.#shown = '';
    this.#isFollowed = true;
    this.update();
  }

  update() {
    const chat = this.#chat;
    this.#updateMessages(chat.messages);
    this.#updateRest(chat);
    if (this.#isFollowed) this.toEnd();
    else this.#followed();
  }

  /** Write over the newest message of the person. */
  editLast() {
    const view = this.#views.findLast(({ message }) => message.role === 'user');
    if (view && !this.#chat.isBusy) view.edit();
  }

  /** Let the person go on writing a message anew. */
  edit(id, text) {
    this.update();
    this.#views.find(({ message }) => message.id === id)?.edit(text);
  }

  get isEditing() {
    return this.#views.some((view) => view.isEditing);
  }

  /** For whoever was on a button that is not there any more. */
  focus() {
    this.#log.focus({ preventScroll: true });
  }

  /** The first call that waits for the person, where it is above what shows. */
  toWaiting() {
    const call = this.#log.querySelector('.tool[data-state="approval"], .tool[data-state="output"]');
    call?.scrollIntoView({ block: 'nearest' });
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#followed();
  }

  #followed() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.#isFollowed = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#down.hidden = this.#isFollowed;
  }

  #updateMessages(messages) {
    const same = this.#views.findIndex((view, place) => view.message !== messages[place]);
    if (same >= 0) for (const view of this.#views.splice(same)) view.node.remove();
    messages.forEach((message, place) => {
      if (!this.#views[place]) {
        this.#views[place] = new MessageView(this.#chat, message);
        this.#log.append(this.#views[place].node);
      }
      this.#views[place].update(place === messages.length - 1);
    });
  }

  #updateRest(chat) {
    const { status, problem, suggestions } = chat;
    const warnings = [...chat.warnings];
    const isUnanswered = status === 'ready' && !problem && chat.last?.role === 'user';
    const shown = JSON.stringify([status, problem, suggestions, warnings, chat.messages.length, chat.route.path]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const isEmpty = chat.messages.length === 0 && status !== 'loading';
    this.#welcome.replaceChildren(...(isEmpty ? welcome(chat.route) : []));
    this.#log.hidden = isEmpty;
    this.#busy.textContent = BUSY[status] ?? '';
    this.#busy.hidden = !BUSY[status];
    this.#problem.replaceChildren(...(problem ? told(chat, problem) : isUnanswered ? unanswered(chat) : []));
    this.#suggestions.replaceChildren(...suggestions.map((text) => suggestion(chat, text)));
    this.#warnings.replaceChildren(...warnings.map(([key, warning]) => warningNode(chat, key, warning)));
  }
}

function* welcome(route) {
  yield el('h2', {}, 'What shall we talk about?');
  const described = route.agents.filter(({ description }) => description);
  if (route.agents.length < 2 && !described.length) return;
  const agent = ({ name, description }) =>
    el('li', {}, icon('agent'), el('div', {}, el('strong', {}, name), el('p', {}, description)));
  yield el('p', {}, described.length ? 'These agents answer here:' : 'Agents of this route:');
  yield el('ul', { class: 'cast' }, ...(described.length ? described : route.agents).map(agent));
}

function* told(chat, { text, action }) {
  yield el('p', {}, icon('warning'), el('span', {}, words.withLocalTimes(text)));
  if (action === 'retry') yield el('button', { type: 'button', onclick: () => chat.retry() }, 'Try again');
  if (action === 'reload') yield el('button', { type: 'button', onclick: () => chat.load() }, 'Load the chat again');
}

function* unanswered(chat) {
  yield el('p', {}, 'There is no answer to this.');
  yield el('button', { type: 'button', onclick: () => chat.retry() }, 'Ask again');
}

function suggestion(chat, text) {
  return el('button', { type: 'button', class: 'suggestion', onclick: () => chat.send(text) }, text);
}

function warningNode(chat, key, { kind, data }) {
  const close = iconButton('close', 'Dismiss', () => chat.dismiss(key));
  return el('p', { class: 'warning' }, icon('warning'), el('span', {}, words[kind](data)), close);
}
