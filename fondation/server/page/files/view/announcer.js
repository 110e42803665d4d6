/** Tells a screen reader what comes, in whole sentences: a region that changed with each token would only stutter. */

import { el } from './dom.js';

/** Milliseconds between two announcements. */
const PAUSE = 1500;
const SENTENCES = /^[\s\S]*[.!?:\n](?=\s|$)/;

export class Announcer {
  node = el('div', { class: 'hidden', role: 'status', 'aria-live': 'polite' });
  #part = null;
  #told = 0;
  #chat = null;
  #agent = null;
  #queue = [];
  #timer = null;

  /** What is new in a chat whose answer is being written, or has just come to its end. */
  follow(chat) {
    this.#followAgent(chat);
    const part = chat.last?.role === 'assistant' ? chat.last.parts.findLast(({ type }) => type === 'text') : null;
    if (!part || (part !== this.#part && !chat.isBusy)) return;
    if (part !== this.#part) this.#begin(part);
    const fresh = part.text.slice(this.#told);
    const whole = part.state === 'streaming' ? (SENTENCES.exec(fresh)?.[0] ?? '') : fresh;
    this.#told += whole.length;
    if (whole.trim()) this.say(whole.trim());
  }

  /** A handoff shows; it is also said. */
  #followAgent(chat) {
    const agent = chat.agent?.agentName ?? chat.route.agent;
    if (chat.isBusy && chat === this.#chat && agent !== this.#agent) this.say(`${agent} answers now.`);
    this.#chat = chat;
    this.#agent = agent;
  }

  say(text) {
    this.#queue.push(text);
    this.#timer ??= setTimeout(() => this.#speak());
  }

  #begin(part) {
    this.#part = part;
    this.#told = 0;
  }

  #speak() {
    this.node.textContent = this.#queue.join(' ');
    this.#queue = [];
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#queue.length) this.#speak();
    }, PAUSE);
  }
}
