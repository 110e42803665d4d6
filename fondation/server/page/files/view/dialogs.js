/** Questions and help over the page: a browser's own dialogs, which keep the focus and give it back. */

import { el } from './dom.js';

/** Whether the person agrees. */
export function confirm(question, text, yes) {
  return new Promise((resolve) => {
    const cancel = el('button', { type: 'button', autofocus: true }, 'Cancel');
    const agree = el('button', { type: 'button', class: 'danger' }, yes);
    const dialog = open(question, el('p', {}, text), el('div', { class: 'buttons' }, cancel, agree));
    cancel.addEventListener('click', () => dialog.close());
    agree.addEventListener('click', () => dialog.close('yes'));
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'));
  });
}

const KEYS = [
  ['Enter', 'Send the message'],
  ['Shift + Enter', 'A new line'],
  ['↑', 'Edit the last message, from an empty field'],
  ['Esc', 'Stop the answer'],
  ['Ctrl + K', 'Search the chats'],
  ['Ctrl + Shift + O', 'A new chat'],
  ['Ctrl + /', 'These keys'],
];

export function showKeys() {
  const rows = KEYS.flatMap(([keys, what]) => [el('dt', {}, el('kbd', {}, keys)), el('dd', {}, what)]);
  const close = el('button', { type: 'button', autofocus: true }, 'Close');
  const dialog = open('Keys', el('dl', { class: 'keys' }, ...rows), el('div', { class: 'buttons' }, close));
  close.addEventListener('click', () => dialog.close());
}

function open(title, ...children) {
  const dialog = el('dialog', { 'aria-label': title }, el('h2', {}, title), ...children);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
