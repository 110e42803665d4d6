/** Above the conversation: its title, who has it, and the route that it is on. */

import { el, icon, iconButton } from './dom.js';

const STATUS = { routing: 'is choosing who answers', executing: 'is answering', completing: '' };

export class Header {
  #title = el('h1', {});
  #agent = el('p', { class: 'agent' });
  #route;

  constructor(routes, { onMenu, onRoute, onKeys }) {
    this.menu = iconButton('menu', 'Chats', onMenu, {
      class: 'icon-button menu',
      'aria-expanded': 'false',
      'aria-controls': 'chats',
    });
    const options = routes.map(({ path, agent }) => el('option', { value: path }, `${path} · ${agent}`));
    this.#route = el('select', { class: 'route', 'aria-label': 'Route' }, ...options);
    this.#route.addEventListener('change', () => {
      const route = routes.find(({ path }) => path === this.#route.value);
      onRoute(route, this.#route.matches(':focus-visible'));
    });
    const keys = iconButton('keys', 'Keys', onKeys, { class: 'icon-button keys-button' });
    const names = el('div', { class: 'names' }, this.#title, this.#agent);
    this.node = el('header', {}, this.menu, names, this.#route, keys);
  }

  update(chat, title) {
    this.#title.textContent = title;
    this.#title.title = title; // a long one is cut off
    document.title = `${title} – fondation`;
    this.#route.value = chat.route.path;
    const name = chat.agent?.agentName ?? chat.route.agent;
    const does = chat.isBusy ? (STATUS[chat.agent?.status] ?? '') : '';
    const shown = `${name} ${does}`;
    if (this.#agent.dataset.shown === shown) return;
    this.#agent.dataset.shown = shown;
    this.#agent.classList.toggle('busy', Boolean(does));
    this.#agent.replaceChildren(icon('agent'), el('strong', {}, name), ` ${does}`);
  }
}
