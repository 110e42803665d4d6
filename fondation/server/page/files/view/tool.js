/** A tool call: its arguments and result as they come, and the form of one that waits for the person. */

import { el, icon } from './dom.js';

/** Characters of a value that are shown at first. */
const MOST = 4000;
/** Characters of the arguments that a line may need. */
const LINE = 200;

const STATES = {
  'input-streaming': 'is being written',
  'input-available': 'is running',
  'approval-requested': 'waits for your approval',
  'approval-responded': 'is running',
  'output-available': 'done',
  'output-error': 'failed',
  'output-denied': 'denied',
};

export class ToolView {
  #chat;
  #part = null;
  #shown = '';
  #brief = el('span', { class: 'tool-brief', dir: 'auto' });
  #state = el('span', { class: 'tool-state' });
  #body = el('div', { class: 'tool-body' });
  #details;

  constructor(chat, part) {
    this.#chat = chat;
    const name = el('code', { class: 'tool-name' }, toolName(part));
    const summary = el('summary', {}, icon('tool'), name, ' ', this.#brief, ' ', this.#state);
    this.#details = el('details', {}, summary, this.#body);
    this.node = el('div', { class: 'tool' }, this.#details);
  }

  update(part) {
    this.#part = part;
    const need = this.#need();
    const shown = JSON.stringify([part.state, part.inputText?.length, part.approval, need]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.node.dataset.state = need ?? part.state;
    this.#state.textContent = need ? NEEDS[need] : (STATES[part.state] ?? part.state);
    this.#brief.textContent = brief(part.input);
    this.#body.replaceChildren(...values(part));
    this.node.querySelector('.answer')?.remove();
    if (need === 'approval') this.node.append(approvalForm(this.#chat, part));
    if (need === 'output') this.node.append(outputForm(this.#chat, part));
    if (need) this.#details.open = true;
  }

  /** What the call waits for from the person. */
  #need() {
    const part = this.#part;
    if (!this.#chat.waiting.includes(part)) return null;
    if (this.#chat.isHeld(part.toolCallId)) return 'others';
    return toolName(part) in this.#chat.route.clientTools ? 'output' : 'approval';
  }
}

const NEEDS = {
  approval: 'waits for your approval',
  output: 'waits for your answer',
  others: 'answered, waits for the others',
};

export function toolName(part) {
  return part.toolName ?? part.type.slice('tool-'.length);
}

/** The arguments in a line, to tell one call from another: `city: Lyon, days: 3`. */
function brief(input) {
  if (typeof input !== 'object' || input === null) return '';
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  const all = Object.entries(input).map(([name, value]) => `${name}: ${text(value)}`);
  return all.join(', ').slice(0, LINE);
}

function* values(part) {
  const input = part.input === undefined ? (part.inputText ?? '') : part.input;
  yield* value('Arguments', isEmpty(input) ? 'none' : input);
  if (part.state === 'output-available') yield* value('Result', part.output);
  if (part.state === 'output-error') yield* value('Failure', part.errorText);
  if (part.approval?.reason) yield* value('Reason', part.approval.reason);
  if (part.state === 'output-denied' && !part.approval?.reason) yield* value('Result', 'Not run: it was denied.');
}

function* value(label, content) {
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? null, null, 2);
  const code = el('code', {}, text.slice(0, MOST));
  yield el('div', { class: 'value-label' }, label);
  yield el('pre', { tabIndex: 0, 'aria-label': label }, code);
  if (text.length > MOST) yield moreButton(text, code);
}

function moreButton(text, code) {
  const more = el(
    'button',
    { type: 'button', class: 'link-button' },
    `Show all ${text.length.toLocaleString('en-US')} characters`,
  );
  more.addEventListener('click', () => {
    code.textContent = text;
    more.remove();
  });
  return more;
}

function isEmpty(input) {
  return input === '' || input === null || (typeof input === 'object' && Object.keys(input).length === 0);
}

function approvalForm(chat, part) {
  const name = toolName(part);
  const reason = el('input', {
    type: 'text',
    value: chat.givenTo(part.toolCallId)?.reason,
    placeholder: 'Reason (optional)',
    'aria-label': `Reason about ${name}`,
  });
  const answer = (approved) => () => {
    const given = reason.value.trim();
    chat.answer(part.toolCallId, given ? { approved, reason: given } : { approved });
  };
  return el(
    'div',
    { class: 'answer', role: 'group', 'aria-label': `Approve ${name}?` },
    el('p', {}, 'Shall this run?'),
    reason,
    el(
      'div',
      { class: 'buttons' },
      el('button', { type: 'button', class: 'primary', onclick: answer(true) }, 'Approve'),
      el('button', { type: 'button', onclick: answer(false) }, 'Deny'),
    ),
  );
}

/** The person is the tool: what they write goes back as JSON where it is, else as text. */
function outputForm(chat, part) {
  const name = toolName(part);
  const field = el('textarea', {
    rows: 2,
    value: written(chat.givenTo(part.toolCallId)),
    'aria-label': `Output of ${name}`,
    placeholder: 'Text or JSON',
  });
  const send = (failed) => () => {
    const text = field.value.trim();
    chat.answer(part.toolCallId, failed ? { errorText: text || 'The tool failed.' } : { output: parsed(text) });
  };
  const description = chat.route.clientTools[name];
  return el(
    'div',
    { class: 'answer', role: 'group', 'aria-label': `Answer for ${name}` },
    el('p', {}, description ? `You are this tool: ${description}` : 'You are this tool.'),
    field,
    el(
      'div',
      { class: 'buttons' },
      el('button', { type: 'button', class: 'primary', onclick: send(false) }, 'Send output'),
      el('button', { type: 'button', onclick: send(true) }, 'Say that it failed'),
    ),
  );
}

/** What the person wrote, where it was given and refused. */
function written({ output, errorText } = {}) {
  if (errorText !== undefined) return errorText;
  return output === undefined || typeof output === 'string' ? output : JSON.stringify(output);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
