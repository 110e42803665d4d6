/** One conversation: what was said in it, what is being said, and everything that a person can do with it. */

import { Refusal, postTurn, readChat, readRun, stopRun } from './api.js';
import { newId } from './ids.js';
import { keepChat, keptChat } from './kept.js';
import { ConnectionLost } from './lines.js';
import { MessageReader, isOpenCall, newMessage, textOf } from './message.js';
import { chunks } from './protocols.js';
import { applyAnswer, turnBody } from './turn.js';

/** Milliseconds before each try to find a lost answer again. */
const TRY_AGAIN = [300, 1000, 2000, 4000, 8000];
/** Milliseconds that a stopped run may take to tell its end. */
const STOP = 3000;

export class Chat {
  #onChange;
  #reading = null;
  #answers = new Map();

  /** `onChange` is called after every change; `options` gives what the person has set: `{context, agentChoice}`. */
  constructor({ id = newId('chat'), route, isNew = true, title = null, onChange = () => {}, options = () => ({}) }) {
    Object.assign(this, { id, route, isNew, title, options });
    this.messages = [];
    /** Called with the text of a message that the chat has no place for now. */
    this.onUnsent = () => {};
    /** ready, loading, submitted, streaming or reconnecting. */
    this.status = 'ready';
    /** `{text, action}`, where the action is retry, reload or null. */
    this.problem = null;
    /** Who has the conversation: `{status, agentName}`. */
    this.agent = null;
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
    if (this.isBusy || this.problem || this.last?.role !== 'assistant') return [];
    return this.last.parts.filter((part) => isOpenCall(part) && part.approval?.approved === undefined);
  }

  /** What was answered to a call whose turn waits for further answers. */
  answerTo(toolCallId) {
    return this.#answers.get(toolCallId);
  }

  send(text, files = []) {
    const parts = [...files, ...(text ? [{ type: 'text', text }] : [])];
    return this.#ask(newMessage('user', parts));
  }

  /** Say something else in place of an earlier message; what followed is dropped. */
  edit(id, text) {
    const place = this.messages.findIndex((each) => each.id === id);
    const files = this.messages[place].parts.filter((part) => part.type === 'file');
    this.messages.length = place;
    return this.#ask({ ...newMessage('user', [...files, { type: 'text', text }]), id });
  }

  /** Answer the newest message anew. */
  regenerate() {
    const place = this.messages.findLastIndex((each) => each.role === 'user');
    const dropped = this.messages.splice(place + 1);
    return this.#run({ kind: 'regenerate', answerId: dropped.at(0)?.id });
  }

  /** Once more what failed: a message that the server has is replaced by itself, with all that followed. */
  retry() {
    const place = this.messages.findLastIndex((each) => each.role === 'user');
    const [asked] = this.messages.splice(place);
    return this.#ask(asked);
  }

  /** Answer a call that waits: `{approved, reason}`, `{output}` or `{errorText}`. All of them go on together. */
  answer(toolCallId, given) {
    this.#answers.set(toolCallId, given);
    this.last.version += 1;
    const { waiting } = this;
    if (!waiting.every((part) => this.#answers.has(part.toolCallId))) return this.#changed();
    const answers = waiting.map((part) => ({ part, given: this.#answers.get(part.toolCallId) }));
    this.#answers.clear();
    for (const { part, given } of answers) applyAnswer(part, given);
    return this.#run({ kind: 'answer', answers }, this.last);
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
      this.#fail(error, 'reload');
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
    }, 'reload');
  }

  dismiss(kind) {
    this.warnings.delete(kind);
    this.#changed();
  }

  async #load() {
    const chat = this.route.chats === 'client' ? keptChat(this.id) : await readChat(this.id);
    if (!chat) throw new Refusal(404, 'This chat is not kept in this browser any more.');
    this.title = chat.title;
    this.isNew = false;
    this.messages = chat.messages.map((each) => ({ metadata: {}, ...each, version: 0 }));
    this.agent = chat.agent ? { status: 'completing', agentName: chat.agent } : null;
  }

  #ask(asked) {
    if (this.last?.role === 'assistant') new MessageReader(this.last).close('Not run: you went on without it.');
    this.messages.push(asked);
    return this.#run({ kind: 'ask', asked });
  }

  async #run(turn, continued = null) {
    this.#answers.clear();
    this.#set({ status: 'submitted', problem: null, suggestions: [] });
    const body = turnBody(this, turn);
    const begin = async (signal) => {
      const answer = await postTurn(this.route, body, signal);
      this.isNew = false;
      this.#keep();
      await this.#read(answer, continued);
    };
    await this.#follow(begin, turn.kind === 'answer' ? 'reload' : 'retry');
    if (this.problem?.status === 409 && turn.kind === 'ask') this.onUnsent(textOf(turn.asked));
  }

  /** Read an answer to its end; one that is lost is looked for again. */
  async #follow(read, remedy) {
    const reading = new AbortController();
    this.#reading = reading;
    try {
      for (let tries = 0; ; tries += 1) {
        try {
          await (tries ? this.#findAgain(reading.signal) : read(reading.signal));
          break;
        } catch (error) {
          if (reading.signal.aborted || !isLost(error, tries) || tries >= TRY_AGAIN.length) throw error;
          this.#set({ status: 'reconnecting' });
          await pause(TRY_AGAIN[tries], reading.signal);
        }
      }
      this.#set({ status: 'ready' });
    } catch (error) {
      if (reading.signal.aborted) this.#cut();
      else this.#fail(error, error instanceof ConnectionLost || error.status === 409 ? 'reload' : remedy);
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
    const reader = new MessageReader(told, { onData: (...data) => this.#onData(told, ...data) });
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

  #onData(told, name, data) {
    switch (name) {
      case 'agent-status':
        this.agent = data;
        break;
      case 'agent-handoff':
        told.parts.push({ type: 'handoff', from: data.from, to: data.to, reason: data.reason });
        break;
      case 'chat-title':
        this.title = data?.title ?? this.title;
        break;
      case 'suggestions':
        this.suggestions = Array.isArray(data?.prompts) ? data.prompts : [];
        break;
      case 'budget':
        this.warnings.set(`budget ${data?.budget ?? ''}`, { kind: 'budget', data });
        break;
      case 'rate-limit':
        this.warnings.set('rate', { kind: 'rate', data });
        break;
    }
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
    if (this.last?.role === 'assistant') new MessageReader(this.last).close('The answer broke off.');
    this.#set({
      status: 'ready',
      problem: { text, action: error.status === 404 ? null : action, status: error.status },
    });
  }

  #keep() {
    if (this.route.chats === 'client') keepChat(this);
  }

  #set(fields) {
    Object.assign(this, fields);
    this.#changed();
  }

  #changed() {
    this.#onChange(this);
  }
}

/** Whether an answer may be found again: it had begun. A request that was refused had not. */
function isLost(error, tries) {
  return error instanceof ConnectionLost || (error instanceof Refusal && error.status === 0 && tries > 0);
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
