/** What a person has written in each chat and not sent: its text outlives a reload, its files the page does not. */

import { rememberHere, rememberedHere } from './memory.js';

const files = new Map();

/** `{text, files}` of a chat; all chats that are not begun have one draft. */
export function draftOf(chat) {
  const key = keyOf(chat);
  return { text: all()[key] ?? '', files: files.get(key) ?? [] };
}

export function keepDraft(chat, draft) {
  const key = keyOf(chat);
  const { [key]: before, ...others } = all();
  rememberHere('drafts', draft.text ? { ...others, [key]: draft.text } : others);
  files.set(key, draft.files);
}

/** Put what comes back before what was written since. */
export function addToDraft(chat, { text, files: more }) {
  const known = draftOf(chat);
  keepDraft(chat, { text: [text, known.text].filter(Boolean).join('\n\n'), files: [...more, ...known.files] });
}

function keyOf({ id, isNew }) {
  return isNew ? '' : id;
}

function all() {
  return rememberedHere('drafts') ?? {};
}
