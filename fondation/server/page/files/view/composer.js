/** Where a person writes: the message, its files, and the values that the route takes along. */

import { bytes } from '../words.js';
import { el, icon, iconButton } from './dom.js';

/** Of a body that is sent, files are a third larger in base64; the rest is left for text. */
const SHARE = 0.7;
const ACCEPTED = 'image/*,audio/*,text/*,application/pdf';
/** Browsers do not name every kind of text: what has no type is taken for one. */
const SENDABLE = /^$|^(?:image|audio|text)\/|^application\/pdf$/;

export class Composer {
  #chat = null;
  #files = [];
  #field = el('textarea', { rows: 1, id: 'message', placeholder: 'Write a message', enterKeyHint: 'send' });
  #picker = el('input', { type: 'file', multiple: true, accept: ACCEPTED, hidden: true, tabIndex: -1 });
  #chips = el('ul', { class: 'chips', 'aria-label': 'Attached files' });
  #complaint = el('p', { class: 'complaint', role: 'alert' });
  #attach = iconButton('attach', 'Attach files', () => this.#picker.click());
  #send = iconButton('send', 'Send', null, { type: 'submit', class: 'icon-button send' });
  #stop = iconButton('stop', 'Stop', () => this.#chat.stop(), { class: 'icon-button send' });
  #onEditLast;

  constructor({ onEditLast }) {
    this.#onEditLast = onEditLast;
    const label = el('label', { class: 'hidden', htmlFor: 'message' }, 'Message');
    const row = el('div', { class: 'row' }, this.#attach, label, this.#field, this.#send, this.#stop);
    const form = el(
      'form',
      { class: 'composer', 'aria-label': 'New message' },
      this.#chips,
      row,
      this.#complaint,
      this.#picker,
    );
    this.node = el('div', { class: 'composer-place' }, form);
    this.#updateChips();
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener('keydown', (event) => this.#onKey(event));
    this.#field.addEventListener('input', () => this.#fit());
    this.#field.addEventListener('paste', (event) => this.#take(event, event.clipboardData));
    this.#picker.addEventListener('change', () => {
      this.attach([...this.#picker.files]);
      this.#picker.value = '';
    });
    document.addEventListener('dragover', (event) => {
      if (event.dataTransfer.types.includes('Files')) event.preventDefault();
    });
    document.addEventListener('drop', (event) => this.#take(event, event.dataTransfer));
  }

  show(chat) {
    if (this.#chat !== chat) this.#complain('');
    this.#chat = chat;
    this.update();
  }

  update() {
    const { isBusy } = this.#chat;
    const isOnButton = document.activeElement === (isBusy ? this.#send : this.#stop);
    this.#send.hidden = isBusy;
    this.#stop.hidden = !isBusy;
    if (isOnButton) this.focus(); // the button under it went away
  }

  focus() {
    this.#field.focus();
  }

  /** Give a text back that could not be sent, unless the person writes another one. */
  restore(text) {
    if (this.#field.value) return;
    this.#field.value = text;
    this.#fit();
  }

  async attach(files) {
    this.#complain('');
    for (const file of files) {
      const fault = this.#faultOf(file);
      if (fault) this.#complain(fault);
      else this.#files.push({ name: file.name, size: file.size, part: await filePart(file) });
    }
    this.#updateChips();
  }

  /** Why a file cannot go along; null where it can. */
  #faultOf({ name, size, type }) {
    if (!SENDABLE.test(type)) return `${name} cannot be sent: images, audio, text and PDF can.`;
    if (size === 0) return `${name} is empty.`;
    const taken = this.#files.reduce((sum, each) => sum + each.size, 0);
    const room = Math.max(0, this.#chat.route.maxBody * SHARE - taken);
    return size > room ? `${name} is too large: ${bytes(size)}, and there is room for ${bytes(room)}.` : null;
  }

  #submit() {
    const text = this.#field.value.trim();
    const most = this.#chat.route.maxMessage;
    if (this.#chat.isBusy || (!text && !this.#files.length)) return;
    if (most !== null && text.length > most) {
      this.#complain(`The message has ${text.length} characters; this route takes ${most}.`);
      return;
    }
    const files = this.#files.map(({ part }) => part);
    this.#files = [];
    this.#field.value = '';
    this.#complain('');
    this.#fit();
    this.#updateChips();
    this.#chat.send(text, files);
  }

  #onKey(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'ArrowUp' && !this.#field.value) {
      event.preventDefault();
      this.#onEditLast();
    }
  }

  #take(event, data) {
    const files = [...(data?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.attach(files);
  }

  /** As high as its text, up to what the style allows. */
  #fit() {
    this.#field.style.height = 'auto';
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }

  #updateChips() {
    this.#chips.replaceChildren(
      ...this.#files.map((file) => {
        const remove = () => {
          this.#files = this.#files.filter((each) => each !== file);
          this.#updateChips();
          this.focus();
        };
        const size = el('small', {}, bytes(file.size));
        return el(
          'li',
          { class: 'chip' },
          icon('file'),
          el('span', {}, file.name),
          size,
          iconButton('close', `Remove ${file.name}`, remove),
        );
      }),
    );
    this.#chips.hidden = !this.#files.length;
  }

  #complain(text) {
    this.#complaint.textContent = text;
    this.#complaint.hidden = !text;
  }
}

function filePart(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => {
      const mediaType = file.type || 'text/plain';
      const url = reader.result.replace(/^data:[^;,]*/, `data:${mediaType}`);
      resolve({ type: 'file', mediaType, url, filename: file.name });
    };
    reader.readAsDataURL(file);
  });
}
