/** The page: its parts, and which chat they show. */

import { readServer } from './api.js';
import { Chat } from './chat.js';
import { Chats } from './chats.js';
import { addToDraft } from './drafts.js';
import { keptChat } from './kept.js';
import { remember, remembered } from './memory.js';
import { textOf } from './message.js';
import { Settling } from './settling.js';
import { Announcer } from './view/announcer.js';
import { Composer } from './view/composer.js';
import { ConversationView } from './view/conversation.js';
import { showKeys } from './view/dialogs.js';
import { el } from './view/dom.js';
import { Header } from './view/header.js';
import { Options } from './view/options.js';
import { Sidebar, titleOf } from './view/sidebar.js';

/** Chats whose route this browser remembers. */
const MOST_REMEMBERED = 200;

class Page {
  #routes;
  #open = new Map(); // chats that are shown, or that an answer is still written in
  #chat = null;
  #isDrawing = false;
  #wasBusy = false;

  constructor(routes, dashboard) {
    this.#routes = routes;
    const isOnServer = routes.some((route) => route.chats === 'server');
    const onRemoved = (id) => id === this.#chat.id && this.begin();
    this.chats = new Chats({ isOnServer, onChange: () => this.#listChanged(), onRemoved });
    this.announcer = new Announcer();
    this.settling = new Settling();
    this.options = new Options();
    this.conversation = new ConversationView();
    this.composer = new Composer({ onEditLast: () => this.conversation.editLast() });
    this.sidebar = new Sidebar(this.chats, {
      dashboard,
      onNew: () => this.begin(),
      onClose: () => this.showChats(false),
    });
    this.header = new Header(routes, {
      onMenu: () => this.showChats(true),
      onRoute: (...choice) => this.#chooseRoute(...choice),
      onKeys: showKeys,
    });
  }

  start() {
    const skip = el('a', { class: 'skip', href: '#message' }, 'To the message field');
    skip.addEventListener('click', (event) => {
      event.preventDefault();
      this.composer.focus();
    });
    this.veil = el('div', { class: 'veil', onclick: () => this.showChats(false) });
    this.main = el('main', {}, this.header.node, this.conversation.node, this.options.node, this.composer.node);
    document.body.replaceChildren(skip, this.sidebar.node, this.veil, this.main, this.announcer.node);
    document.addEventListener('keydown', (event) => this.#onKey(event));
    addEventListener('hashchange', () => this.#goTo(chatInAddress()));
    addEventListener('focus', () => this.chats.refresh());
    this.#goTo(chatInAddress());
    this.chats.refresh();
  }

  /** A new chat, on the route that was chosen last. */
  begin() {
    this.#beginOn(this.#lastRoute());
    this.composer.focus();
  }

  #beginOn(route) {
    if (location.hash) history.pushState(null, '', location.pathname + location.search);
    this.#show(this.#make({ route }));
    this.showChats(false);
  }

  showChats(isShown) {
    document.body.classList.toggle('chats-shown', isShown);
    this.header.menu.setAttribute('aria-expanded', String(isShown));
    this.main.inert = isShown;
    if (isShown) this.sidebar.node.querySelector('button').focus();
  }

  #make(options) {
    const chat = new Chat({ ...options, options: Options.of, onChange: () => this.#changed(chat) });
    chat.onUnsent = (unsent) => this.#giveBack(chat, unsent);
    return chat;
  }

  #goTo(id) {
    if (id === null) {
      this.begin();
      return;
    }
    if (id === this.#chat?.id) return;
    const known = this.#open.get(id);
    const chat = known ?? this.#make({ id, route: this.#routeOf(id), isNew: false });
    this.#show(chat);
    this.showChats(false);
    if (!known) chat.load(() => this.#trustAgent(chat));
  }

  #show(chat) {
    if (this.#chat && !this.#chat.isBusy) this.#open.delete(this.#chat.id);
    this.#chat = chat;
    this.#open.set(chat.id, chat);
    this.#wasBusy = chat.isBusy;
    this.conversation.show(chat);
    this.composer.show(chat);
    this.options.show(chat.route);
    this.#draw();
  }

  /** What could not be sent goes back to where it was written. */
  #giveBack(chat, { id, text, files }) {
    if (id !== null && chat === this.#chat) {
      this.conversation.edit(id, text);
    } else {
      addToDraft(chat, { text, files });
      this.composer.showDraft();
    }
  }

  #changed(chat) {
    if (chat !== this.#chat) {
      if (!chat.isBusy) this.#settled(chat);
      return;
    }
    if (!this.#isDrawing) requestAnimationFrame(() => this.#draw());
    this.#isDrawing = true;
  }

  #draw() {
    this.#isDrawing = false;
    const chat = this.#chat;
    if (!chat.isNew && chatInAddress() !== chat.id) {
      history.pushState(null, '', `#chat/${encodeURIComponent(chat.id)}`);
      rememberRoute(chat);
      this.chats.refresh();
    }
    const wasHere = this.main.contains(document.activeElement);
    this.conversation.update();
    this.composer.update();
    if (wasHere && document.activeElement === document.body) this.conversation.focus();
    this.announcer.follow(chat);
    this.header.update(chat, this.#title(chat));
    this.sidebar.update(chat.isNew ? null : chat.id);
    if (this.#wasBusy && !chat.isBusy) this.#settled(chat);
    this.#wasBusy = chat.isBusy;
  }

  /** An answer has come to its end: the list tells its chat's time and title. */
  #settled(chat) {
    this.chats.refresh();
    if (chat !== this.#chat) {
      this.#open.delete(chat.id);
      return;
    }
    this.settling.follow(chat);
    if (!chat.waiting.length) return;
    this.conversation.toWaiting();
    this.announcer.say('A tool waits for your answer.');
  }

  #listChanged() {
    this.sidebar.update();
    this.header.update(this.#chat, this.#title(this.#chat));
    this.#catchUp();
  }

  /** A chat that went on elsewhere, or was deleted there, is read again. */
  #catchUp() {
    const chat = this.#chat;
    const isBusy = chat.isBusy || this.#wasBusy || this.conversation.isEditing;
    if (isBusy || chat.isNew || chat.route.chats === 'client') return;
    const listed = this.chats.find(chat.id);
    const isGone = !chat.problem && this.chats.misses(chat.id, chat.updatedAt);
    if (isGone || (listed && chat.wentOn(listed.updatedAt))) chat.load();
  }

  #title(chat) {
    const listed = this.chats.find(chat.id);
    if (chat.isNew) return 'New chat';
    return titleOf(listed ?? { title: chat.title, excerpt: chat.messages.length ? textOf(chat.messages[0]) : '' });
  }

  /** Whoever walks through the routes by keys stays among them. */
  #chooseRoute(route, isByKeys) {
    remember('route', route.path);
    this.#beginOn(route);
    if (!isByKeys) this.composer.focus();
  }

  #lastRoute() {
    return this.#find(remembered('route')) ?? this.#routes[0];
  }

  #routeOf(id) {
    return this.#find(remembered('routes')?.[id] ?? keptChat(id)?.route) ?? this.#routes[0];
  }

  #find(path) {
    return this.#routes.find((route) => route.path === path);
  }

  /** A chat that began elsewhere: it is on a route where its agent is. */
  #trustAgent(chat) {
    if (remembered('routes')?.[chat.id]) return;
    const name = chat.agent?.agentName;
    const fits = (route) => route.chats === 'server' && route.agents.some((agent) => agent.name === name);
    if (fits(chat.route)) return;
    chat.route = this.#routes.find(fits) ?? chat.route;
    if (chat === this.#chat) this.options.show(chat.route);
  }

  #onKey(event) {
    const isControl = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (event.key === 'Escape' && !document.querySelector('dialog[open]')) this.#escape();
    else if (isControl && key === 'k') this.#search();
    else if (isControl && event.shiftKey && key === 'o') this.begin();
    else if (isControl && key === '/') showKeys();
    else return;
    if (isControl) event.preventDefault();
  }

  #escape() {
    if (document.body.classList.contains('chats-shown')) {
      this.showChats(false);
      this.header.menu.focus();
    } else {
      this.#chat.stop();
    }
  }

  #search() {
    if (getComputedStyle(this.header.menu).display !== 'none') this.showChats(true);
    this.sidebar.focusSearch();
  }
}

function chatInAddress() {
  const found = /^#chat\/(.+)$/.exec(location.hash);
  try {
    return found && decodeURIComponent(found[1]);
  } catch {
    return null; // somebody wrote it by hand
  }
}

function rememberRoute(chat) {
  const { [chat.id]: before, ...others } = remembered('routes') ?? {};
  const newest = Object.entries(others).slice(1 - MOST_REMEMBERED);
  remember('routes', { ...Object.fromEntries(newest), [chat.id]: chat.route.path });
}

function complain(text) {
  document.body.replaceChildren(
    el('main', { class: 'nothing' }, el('h1', {}, 'fondation'), el('p', { role: 'alert' }, text)),
  );
}

try {
  const { routes, dashboard } = await readServer();
  if (routes.length) new Page(routes, dashboard).start();
  else complain('There is no route yet: add one under routes in agents.yaml, and start the server again.');
} catch (error) {
  complain(error.message);
  throw error;
}
