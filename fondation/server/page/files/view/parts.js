/** A view for each kind of part: `node`, and `update(part)` for its next state. */

import { safeLink } from '../inlines.js';
import { el, icon } from './dom.js';
import { MarkdownView } from './markdown.js';
import { ToolView } from './tool.js';

/** What is told elsewhere on the page, or not to a person. */
const SILENT = new Set(['step-start', 'data-chat-title', 'data-suggestions', 'data-budget', 'data-usage']);

/** The view of a part; null where nothing shows. */
export function partView(chat, message, part) {
  if (SILENT.has(part.type)) return null;
  if (part.toolCallId !== undefined) return new ToolView(chat, part);
  if (part.type.startsWith('data-')) return new ValueView(part);
  const View = VIEWS[part.type];
  return View ? new View(message) : null;
}

class TextView {
  #view;

  constructor(message) {
    this.#view = message.role === 'assistant' ? new MarkdownView() : null;
    this.node = this.#view?.node ?? el('p', { class: 'plain', dir: 'auto' });
  }

  update({ text }) {
    if (this.#view) this.#view.update(text);
    else this.node.textContent = text;
  }
}

class ReasoningView {
  #label = el('span');
  #text = new MarkdownView();

  constructor() {
    this.node = el('details', { class: 'reasoning' }, el('summary', {}, icon('thought'), this.#label), this.#text.node);
  }

  update({ text, state }) {
    this.#label.textContent = state === 'streaming' ? 'Thinking…' : 'Thoughts';
    this.#text.update(text);
  }
}

class HandoffView {
  constructor() {
    this.node = el('p', { class: 'handoff' });
  }

  update({ from, to, reason }) {
    const about = reason ? `: ${reason}` : '';
    this.node.replaceChildren(icon('handoff'), el('span', {}, `${from} handed off to `, el('strong', {}, to), about));
  }
}

class SourceView {
  constructor() {
    this.node = el('p', { class: 'source' });
  }

  update({ url, title }) {
    const href = safeLink(url);
    const name = title || url;
    this.node.replaceChildren(
      'Source: ',
      href ? el('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, name) : name,
    );
  }
}

class FileView {
  constructor() {
    this.node = el('div', { class: 'file' });
    this.url = null;
  }

  update({ url, mediaType = '', filename }) {
    if (url === this.url) return;
    this.url = url;
    this.node.replaceChildren(fileNode(url, mediaType, filename || mediaType || 'file'));
  }
}

/** Pictures and sounds that are in the message show; what is elsewhere is a link, and is not asked for. */
export function fileNode(url, mediaType, name) {
  const isHere = url.startsWith('data:');
  if (isHere && mediaType.startsWith('image/')) return el('img', { src: url, alt: name });
  if (isHere && mediaType.startsWith('audio/')) return el('audio', { src: url, controls: true, title: name });
  if (isHere) return el('span', { class: 'chip' }, icon('file'), el('span', {}, name));
  const href = safeLink(url);
  return href ? el('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, name) : el('span', {}, name);
}

class ValueView {
  #json = el('code');

  constructor({ type }) {
    const name = type.slice('data-'.length);
    const value = el('pre', { tabIndex: 0, 'aria-label': name }, this.#json);
    this.node = el('details', { class: 'data' }, el('summary', {}, icon('file'), el('span', {}, name)), value);
  }

  update({ data }) {
    this.#json.textContent = JSON.stringify(data, null, 2);
  }
}

const VIEWS = {
  text: TextView,
  reasoning: ReasoningView,
  handoff: HandoffView,
  'source-url': SourceView,
  file: FileView,
};
