/** What an answer took: in a line, and unfolded to the last digit. */

import { cost, exactCost, tokens, total } from '../words.js';
import { el } from './dom.js';

export class FactsView {
  #line = el('span', { class: 'facts' });
  #list = el('dl', {});
  #message = null;

  constructor() {
    this.node = el('details', { class: 'took' }, el('summary', {}, this.#line), this.#list);
    this.node.addEventListener('toggle', () => this.#unfold());
  }

  update(message) {
    this.#message = message;
    this.#line.textContent = line(message);
    this.node.hidden = !this.#line.textContent;
    this.#unfold();
  }

  #unfold() {
    if (!this.node.open) return;
    const rows = [...facts(this.#message.metadata)].filter(([, value]) => value);
    this.#list.replaceChildren(...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
  }
}

/** `acme/model · 812 tokens in, 61 out · $0.0034` */
function line({ role, metadata }) {
  if (role === 'user' || !metadata.usage) return '';
  const { model, usage } = metadata;
  const all = [model, tokens(usage), cost(usage), ...left(metadata)];
  return [...new Set(all.filter(Boolean))].join(' · '); // a simulated model's cost is its name
}

function* facts({ model, handoffChain = [], usage, runId, runIds }) {
  yield ['Model', model];
  yield ['Agents', handoffChain.join(' → ')];
  yield ['Tokens', total(usage)];
  yield ['Cost', exactCost(usage)];
  yield ['Run', (runIds ?? [runId]).filter(Boolean).join(', ')];
}

function left({ droppedMessages, summarizedMessages }) {
  return [
    droppedMessages ? `${droppedMessages} oldest messages left out` : null,
    summarizedMessages ? `${summarizedMessages} oldest messages summarized` : null,
  ];
}
