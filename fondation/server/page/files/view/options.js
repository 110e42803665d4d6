/** What goes along with every message of a route: the agent that shall answer, and the route's context values. */

import { remember, remembered } from '../memory.js';
import { el, icon } from './dom.js';

export class Options {
  #route = null;
  #set = el('span');
  #fields = el('div', { class: 'fields' });

  constructor() {
    const summary = el('summary', {}, icon('options'), el('span', {}, 'Options'), this.#set);
    this.node = el('details', { class: 'options', onchange: () => this.#tell() }, summary, this.#fields);
  }

  show(route) {
    if (route === this.#route) return;
    this.#route = route;
    const values = kept(route);
    const fields = route.context.map((field) => contextField(route, field, values.context?.[field.name]));
    if (route.agents.length > 1) fields.unshift(agentField(route, values.agentChoice));
    this.#fields.replaceChildren(...fields);
    this.node.hidden = fields.length === 0;
    this.node.open = false;
    this.#tell();
  }

  /** What is set shows also while the fields are folded. */
  #tell() {
    const { context = {}, agentChoice } = Options.of(this.#route);
    const values = Object.entries(context).map(([name, value]) => `${name}: ${value}`);
    this.#set.textContent = [agentChoice, ...values].filter(Boolean).join(', ');
  }

  /** `{context, agentChoice}`, as a body takes them. */
  static of(route) {
    const { context = {}, agentChoice } = kept(route);
    const known = route.context.filter(({ name }) => context[name] !== undefined);
    const isThere = route.agents.some(({ name }) => name === agentChoice);
    return {
      ...(known.length && { context: Object.fromEntries(known.map(({ name }) => [name, context[name]])) }),
      ...(isThere && { agentChoice }),
    };
  }
}

function kept(route) {
  return remembered(`options ${route.path}`) ?? {};
}

function keep(route, values) {
  remember(`options ${route.path}`, { ...kept(route), ...values });
}

function agentField(route, chosen) {
  const options = route.agents.map(({ name }) => el('option', { value: name, selected: name === chosen }, name));
  const select = el('select', {}, el('option', { value: '' }, 'Whoever is next'), ...options);
  select.addEventListener('change', () => keep(route, { agentChoice: select.value || undefined }));
  return labelled('Agent', 'agent', select);
}

/** A field that is left empty is not sent: the route's default holds. */
function contextField(route, { name, type, default: usual, maxLength }, value) {
  const input =
    type === 'boolean' ? yesOrNo(value, usual) : el('input', { type: type === 'string' ? 'text' : 'number' });
  if (type !== 'boolean') {
    Object.assign(input, { value: value ?? '', placeholder: usual ?? '' });
    if (type === 'number') input.step = 'any';
    if (maxLength !== null) input.maxLength = maxLength;
  }
  input.addEventListener('change', () => {
    input.reportValidity();
    keep(route, { context: { ...kept(route).context, [name]: read(input, type) } });
  });
  return labelled(name, `option-${name}`, input);
}

function labelled(name, id, input) {
  input.id = id;
  return el('div', { class: 'field' }, el('label', { htmlFor: input.id }, name), input);
}

function yesOrNo(value, usual) {
  const option = (text, of) => el('option', { value: text, selected: value === of }, text);
  const byDefault = usual === null ? 'not set' : `${usual ? 'yes' : 'no'} (default)`;
  return el('select', {}, el('option', { value: '' }, byDefault), option('yes', true), option('no', false));
}

function read(input, type) {
  if (input.value === '' || !input.validity.valid) return undefined;
  if (type === 'boolean') return input.value === 'yes';
  return type === 'string' ? input.value : Number(input.value);
}
