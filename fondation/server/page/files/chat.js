/** One conversation: what was said in it, what is being said, and everything that a person can do with it. */

import { Refusal, postTurn, readChat, readRun, stopRun } from './api.js';
import { readData } from './data.js';
import { readToEnd } from './following.js';
import { newId } from './ids.js';
import { keepChat, keptChat } from './kept.js';
import { ConnectionLost } from './lines.js';
import { MessageReader, isOpenCall, newMessage, textOf } from './message.js';
import { chunks } from './protocols.js';
import { applyAnswer, turnBody } from './turn.js';

/** Milliseconds that a stopped run may take to tell its end. */
const STOP = 3000;
const GONE = 'This chat is not here. It was deleted, or belongs to another browser.';

export class Chat {
  #onChange;
  #reading = null;
  #given = new Map(); // by call: what the person answers, until the server has taken it
  #held = new Set(); // calls whose answers wait for those of the others

  /** `onChange` is called after every change; `options` gives what the person has set: `{context, agentChoice}`. */
  constructor({ id = newId('chat'), route, isNew = true, title = null, onChange = () => {}, options = () => ({}) }) {
    Object.assign(this, { id, route, isNew, title, options });
    this.messages = [];
    /** Called with `{id, text, files}` of a message that was refused; with `id` where it is to replace that one. */
    this.onUnsent = () => {};
    /** ready, loading, submitted, streaming or reconnecting. */
    this.status = 'ready';
    /** `{text, action}`, where the action is retry, reload or null. */
    this.problem = null;
    /** Who has the conversation: `{status, agentName}`. */
    this.agent = null;
    /** Of the chat as it is known here; null where the list of chats is to tell. */
    this.updatedAt = null;
    this.suggestions = [];
    /** The budgets and rates that the server warned of. */
    this.warnings = new Map();
    this.#onChange = onChange;
  }

  get isBusy() {
    return this.status !== 'ready';
  }

  get last() {
    return this.messages.at(-1);
  }

  /** The calls that wait for the person. */
  get waiting() {
    if (this.isBusy || this.problem?.action || this.last?.role !== 'assistant') return [];
    return this.last.parts.filter((part) => isOpenCall(part) && part.approval?.approved === undefined);
  }

  /** Whether it went on elsewhere, as its time in the list of chats tells. */
  wentOn(updatedAt) {
    const before = this.updatedAt;
    this.updatedAt = updatedAt;
    return before !== null && before < updatedAt;
  }

  /** Whether a call was answered whose turn waits for further answers. */
  isHeld(toolCallId) {
    return this.#held.has(toolCallId);
  }

  /** What was answered to a call and has not gone on: it may have been refused. */
  givenTo(toolCallId) {
    return this.#given.get(toolCallId);
  }

  send(text, files = []) {
    const parts = [...files, ...(text ? [{ type: 'text', text }] : [])];
    return this.#ask(newMessage('user', parts), this.messages.length);
  }

  /** Say something else in place of an earlier message; what followed is dropped. */
  edit(id, text) {
    const place = this.messages.findIndex((each) => each.id === id);
    return this.#ask({ ...newMessage('user', [...filesOf(this.messages[place]), { type: 'text', text }]), id }, place);
  }

  /** Answer the newest message anew. */
  regenerate() {
    const place = this.messages.findLastIndex((each) => each.role === 'user') + 1;
    return this.#run({ kind: 'regenerate', answerId: this.messages[place]?.id }, this.messages.slice(0, place));
  }

  /** Once more what failed: a message that the server has is replaced by itself, with all that followed. */
  retry() {
    const place = this.messages.findLastIndex((each) => each.role === 'user');
    const asked = this.messages[place];
    return this.#run({ kind: 'ask', asked, isAgain: true }, this.messages.slice(0, place + 1));
  }

  /** Answer a call that waits: `{approved, reason}`, `{output}` or `{errorText}`. All of them go on together. */
  answer(toolCallId, given) {
    this.#given.set(toolCallId, given);
    this.#held.add(toolCallId);
    this.last.version += 1;
    const { waiting } = this;
    if (!waiting.every((part) => this.isHeld(part.toolCallId))) return this.changed();
    const answers = waiting.map((part) => ({ part, given: this.#given.get(part.toolCallId) }));
    return this.#run({ kind: 'answer', answers }, this.messages, this.last);
  }

  /** End the run, for everybody who reads it; what was said stays. */
  async stop() {
    const reading = this.#reading;
    if (!reading) return;
    const giveUp = setTimeout(() => reading.abort(), STOP);
    reading.signal.addEventListener('abort', () => clearTimeout(giveUp));
    const { stopped } = await stopRun(this.route, this.id).catch(() => ({ stopped: false }));
    if (!stopped) reading.abort();
  }

  /** The chat as it is kept, then the answer that is under way; between them `onLoaded` may choose the route. */
  async load(onLoaded = () => {}) {
    this.#set({ status: 'loading', problem: null });
    try {
      await this.#load();
      onLoaded();
    } catch (error) {
      if (error.status === 404) this.messages = [];
      this.#fail(error.status === 404 ? new Refusal(404, GONE) : error, 'reload');
      return;
    }
    if (this.#mayGoOn()) await this.#resume();
    else this.#set({ status: 'ready' });
  }

  /** Of an answer that this browser has to its end the server may still know the run: it is not read again. */
  #mayGoOn() {
    return this.route.chats === 'server' || this.last?.role !== 'assistant' || this.last.isUnfinished;
  }

  async #resume() {
    await this.#follow(async (signal) => {
      const body = await readRun(this.route, this.id, signal);
      if (body) await this.#read(body, null);
    }, () => 'reload');
  }

  dismiss(kind) {
    this.warnings.delete(kind);
    this.changed();
  }

  async #load() {
    const chat = this.route.chats === 'client' ? keptChat(this.id) : await readChat(this.id);
    if (!chat) throw new Refusal(404, GONE);
    this.title = chat.title;
    this.updatedAt = chat.updatedAt;
    this.isNew = false;
    this.messages = chat.messages.map((each) => ({ metadata: {}, ...each, version: 0 }));
    this.agent = chat.agent ? { status: 'completing', agentName: chat.agent } : null;
  }

  #ask(asked, place) {
    return this.#run({ kind: 'ask', asked }, [...this.messages.slice(0, place), asked]);
  }

  /** `messages` are those that the answer follows; `continued` is the one that it goes on with. */
  async #run(turn, messages, continued = null) {
    const before = this.messages;
    let isTaken = false;
    this.#held.clear();
    this.#set({ messages, status: 'submitted', problem: null, suggestions: [] });
    const body = turnBody(this, turn);
    const begin = async (signal) => {
      const answer = await postTurn(this.route, body, signal);
      isTaken = true;
      this.isNew = false;
      this.#taken(turn, before);
      await this.#read(answer, continued);
    };
    await this.#follow(begin, () => {
      if (continued) return isTaken ? 'reload' : null;
      return isTaken || turn.isAgain ? 'retry' : null;
    });
    if (this.problem && !isTaken) this.#giveBack(turn, before);
  }

  #taken({ kind, answers }, before) {
    this.#given.clear();
    if (kind === 'answer') for (const { part, given } of answers) applyAnswer(part, given);
    else if (before.at(-1)?.role === 'assistant') {
      new MessageReader(before.at(-1)).close('Not run: you went on without it.');
    }
    this.#keep();
  }

  /** A turn that was refused changes nothing, and what was written for it goes back to the person. */
  #giveBack({ kind, asked, isAgain }, before) {
    this.#set({ messages: before });
    if (kind !== 'ask' || isAgain) return;
    const id = before.some((each) => each.id === asked.id) ? asked.id : null;
    this.onUnsent({ id, text: textOf(asked), files: filesOf(asked) });
  }

  /** Read an answer to its end; `remedy` says what may be done where it fails. */
  async #follow(read, remedy) {
    const reading = new AbortController();
    const { signal } = reading;
    this.#reading = reading;
    try {
      await readToEnd({
        begin: () => read(signal),
        findAgain: () => this.#findAgain(signal),
        onLost: () => this.#set({ status: 'reconnecting' }),
        signal,
      });
      this.#set({ status: 'ready' });
    } catch (error) {
      if (signal.aborted) this.#cut();
      else this.#fail(error, error instanceof ConnectionLost || error.status === 409 ? 'reload' : remedy());
    } finally {
      reading.abort();
      this.#reading = null;
    }
  }

  /** The answer from its start, or as it was kept where it has ended meanwhile. */
  async #findAgain(signal) {
    const body = await readRun(this.route, this.id, signal);
    if (body) await this.#read(body, null);
    else if (this.route.chats === 'server') await this.#load();
  }

  /** `continued` is the message that the answer goes on with; without it the stream tells a message from its start. */
  async #read(body, continued) {
    const told = continued ?? newMessage('assistant', []);
    told.isUnfinished = true;
    this.updatedAt = null;
    const reader = new MessageReader(told, { onData: (name, data) => readData(this, told, name, data) });
    try {
      for await (const chunk of chunks(body, this.route)) {
        reader.read(chunk);
        if (!continued) this.#place(told);
        this.#set({ status: 'streaming' });
      }
      if (!reader.isFinished && !reader.error) throw new ConnectionLost();
      told.isUnfinished = false;
    } finally {
      this.#keep();
    }
    if (reader.error) throw new Refusal(200, reader.error);
  }

  /** Where the message belongs: one that is told from its start stands in place of what is known of it. */
  #place(told) {
    if (this.last === told) return;
    const known = this.messages.findIndex((each) => each.id === told.id);
    if (known >= 0) this.messages.length = known;
    else if (this.last?.role === 'assistant' && this.last.isUnfinished) this.messages.pop();
    this.messages.push(told);
  }

  /** The person left: what the message says so far stays. */
  #cut() {
    const { last } = this;
    if (last?.role === 'assistant' && last.isUnfinished) {
      last.metadata = { ...last.metadata, status: 'stopped' };
      new MessageReader(last).close('Stopped.');
    }
    this.#set({ status: 'ready' });
  }

  #fail(error, action) {
    const isForeseen = error instanceof Refusal || error instanceof ConnectionLost;
    if (!isForeseen) console.error(error);
    const text = isForeseen ? error.message : 'The answer cannot be read.';
    if (this.last?.isUnfinished) new MessageReader(this.last).close('The answer broke off.');
    this.#set({ status: 'ready', problem: { text, action: error.status === 404 ? null : action } });
  }

  #keep() {
    if (this.route.chats === 'client') keepChat(this);
  }

  #set(fields) {
    Object.assign(this, fields);
    this.changed();
  }

  /** Tell that something of it has changed. */
  changed() {
    this.#onChange(this);
  }
}

function filesOf(message) {
  return message.parts.filter((part) => part.type === 'file');
}
