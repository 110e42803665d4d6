/** Markdown as nodes; while it streams, only the blocks that change are made anew. */

import { parseMarkdown } from '../markdown.js';
import { el } from './dom.js';
import { copyButton } from './copy.js';

/** Of the headings around an answer. */
const OUTER_DEPTH = 2;

export class MarkdownView {
  #text = '';
  #blocks = [];

  constructor() {
    this.node = el('div', { class: 'markdown' });
  }

  update(text) {
    if (text === this.#text) return;
    const known = this.#blocks;
    const blocks = parseMarkdown(text, text.startsWith(this.#text) ? known : []);
    let same = 0;
    while (same < blocks.length && blocks[same].source === known[same]?.source) same += 1;
    while (this.node.childNodes.length > same) this.node.lastChild.remove();
    const fresh = blocks.slice(same).map(blockNode);
    this.node.append(...fresh);
    this.#text = text;
    this.#blocks = blocks;
    if (fresh.some((node) => node.role === 'heading' || node.querySelector('[role="heading"]'))) this.#outline();
  }

  /** Tell headings a depth of their own: the page's come first, and models skip levels. */
  #outline() {
    let depth = OUTER_DEPTH;
    for (const heading of this.node.querySelectorAll('[role="heading"]')) {
      depth = Math.min(OUTER_DEPTH + Number(heading.dataset.level), depth + 1);
      heading.ariaLevel = depth;
    }
  }
}

function blockNode(block) {
  return BLOCKS[block.type](block);
}

const BLOCKS = {
  heading: ({ level, children }) =>
    el('p', { role: 'heading', 'data-level': level, dir: 'auto' }, ...inlineNodes(children)),
  paragraph: ({ children }) => el('p', { dir: 'auto' }, ...inlineNodes(children)),
  rule: () => el('hr'),
  quote: ({ children }) => el('blockquote', { dir: 'auto' }, ...children.map(blockNode)),
  code: ({ language, text }) =>
    el(
      'figure',
      { class: 'code' },
      el(
        'figcaption',
        {},
        el('span', {}, language || 'text'),
        copyButton('Copy code', () => text),
      ),
      el('pre', { tabIndex: 0, dir: 'ltr' }, el('code', {}, text)),
    ),
  list: ({ start, isLoose, items }) => {
    const list = el(start === null ? 'ul' : 'ol', { start, dir: 'auto' });
    list.append(...items.map((item) => itemNode(item, isLoose)));
    return list;
  },
  table: ({ aligns, head, rows }) => {
    const row = (tag, cells) =>
      el('tr', {}, ...cells.map((cell, place) => el(tag, { class: aligns[place] ?? '' }, ...inlineNodes(cell))));
    const table = el(
      'table',
      { dir: 'auto' },
      el('thead', {}, row('th', head)),
      el('tbody', {}, ...rows.map((cells) => row('td', cells))),
    );
    return el('div', { class: 'table', tabIndex: 0, role: 'region', 'aria-label': 'Table' }, table);
  },
};

function itemNode({ children, isDone }, isLoose) {
  const inside = children.flatMap((child) =>
    child.type === 'paragraph' && !isLoose ? inlineNodes(child.children) : [blockNode(child)],
  );
  if (isDone === null) return el('li', {}, ...inside);
  const box = el('input', {
    type: 'checkbox',
    checked: isDone,
    disabled: true,
    'aria-label': isDone ? 'done' : 'to do',
  });
  return el('li', { class: 'task' }, box, ' ', ...inside);
}

function inlineNodes(children) {
  return children.map((child) => (typeof child === 'string' ? child : INLINES[child.type](child)));
}

const INLINES = {
  break: () => el('br'),
  code: ({ text }) => el('code', {}, text),
  strong: ({ children }) => el('strong', {}, ...inlineNodes(children)),
  emphasis: ({ children }) => el('em', {}, ...inlineNodes(children)),
  deleted: ({ children }) => el('del', {}, ...inlineNodes(children)),
  picture: ({ url, alt }) => el('img', { src: url, alt }),
  link: ({ href, children }) =>
    el('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, ...inlineNodes(children)),
};
