/** Where a person writes: the message, its files, and the values that the route takes along. */

import { filePart, sizeOf } from '../attachments.js';
import { draftOf, keepDraft } from '../drafts.js';
import { bytes } from '../words.js';
import { el, icon, iconButton } from './dom.js';

export class Composer {
  #chat = null;
  #isNew = false;
  #files = [];
  #attaching = Promise.resolve();
  #field = el('textarea', {
    rows: 1,
    id: 'message',
    placeholder: 'Write a message',
    enterKeyHint: 'send',
    dir: 'auto',
  });
  #picker = el('input', { type: 'file', multiple: true, hidden: true, tabIndex: -1 });
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
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener('keydown', (event) => this.#onKey(event));
    this.#field.addEventListener('input', () => this.#changed());
    this.#field.addEventListener('paste', (event) => this.#paste(event));
    this.#picker.addEventListener('change', () => {
      this.attach([...this.#picker.files]);
      this.#picker.value = '';
    });
    document.addEventListener('dragover', (event) => {
      if (event.dataTransfer.types.includes('Files')) event.preventDefault();
    });
    document.addEventListener('drop', (event) => this.#take(event, event.dataTransfer));
  }

  /** With what was written in the chat before. */
  show(chat) {
    if (this.#chat !== chat) this.#complain('');
    this.#chat = chat;
    this.#isNew = chat.isNew;
    this.showDraft();
    this.update();
  }

  /** What the chat's draft is now. */
  showDraft() {
    const { text, files } = draftOf(this.#chat);
    this.#files = files;
    this.#field.value = text;
    this.#fit();
    this.#updateChips();
  }

  update() {
    const { isBusy, isNew } = this.#chat;
    if (this.#isNew && !isNew) this.#begun();
    const isOnButton = document.activeElement === (isBusy ? this.#send : this.#stop);
    this.#send.hidden = isBusy;
    this.#stop.hidden = !isBusy;
    if (isOnButton) this.focus(); // the button under it went away
  }

  focus() {
    this.#field.focus();
  }

  /** Those that can go along; of the others it is said why not. */
  attach(files) {
    this.#complain('');
    this.#attaching = this.#attaching.then(() => this.#read(files, this.#chat));
    return this.#attaching;
  }

  async #read(files, chat) {
    for (const file of files) {
      try {
        this.#setFiles([...this.#files, await filePart(file, this.#files, chat.route)]);
      } catch (error) {
        this.#complain(error.message);
      }
    }
  }

  /** The chat has an id of its own now, and what is written since its first message is of it. */
  #begun() {
    this.#isNew = false;
    keepDraft({ isNew: true }, { text: '', files: [] });
    this.#changed();
  }

  async #submit() {
    await this.#attaching;
    const text = this.#field.value.trim();
    const files = this.#files;
    const most = this.#chat.route.maxMessage;
    if (this.#chat.isBusy || (!text && !files.length)) return;
    if (most !== null && text.length > most) {
      this.#complain(`The message has ${text.length} characters; this route takes ${most}.`);
      return;
    }
    this.#field.value = '';
    this.#complain('');
    this.#setFiles([]);
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

  /** A text that comes with a picture of itself, as from a table of numbers, is text. */
  #paste(event) {
    if (!event.clipboardData?.types.includes('text/plain')) this.#take(event, event.clipboardData);
  }

  #take(event, data) {
    const files = [...(data?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.attach(files);
  }

  #setFiles(files) {
    this.#files = files;
    this.#updateChips();
    this.#changed();
  }

  #changed() {
    keepDraft(this.#chat, { text: this.#field.value, files: this.#files });
    this.#fit();
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
          this.#setFiles(this.#files.filter((each) => each !== file));
          this.focus();
        };
        return el(
          'li',
          { class: 'chip' },
          icon('file'),
          el('span', {}, file.filename),
          el('small', {}, bytes(sizeOf(file))),
          iconButton('close', `Remove ${file.filename}`, remove),
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
