/** The data parts of an answer that tell something of its chat. */

/** `told` is the message that is being told. */
export function readData(chat, told, name, data) {
  if (Object.hasOwn(READERS, name)) READERS[name](chat, data ?? {}, told);
}

const READERS = {
  'agent-status': (chat, data) => {
    chat.agent = data;
  },
  'agent-handoff': (chat, { from, to, reason }, told) => {
    told.parts.push({ type: 'handoff', from, to, reason });
  },
  'chat-title': (chat, { title }) => {
    chat.title = title ?? chat.title;
  },
  suggestions: (chat, { prompts }) => {
    chat.suggestions = Array.isArray(prompts) ? prompts : [];
  },
  budget: (chat, data) => {
    chat.warnings.set(`budget ${data.budget ?? ''}`, { kind: 'budget', data });
  },
  'rate-limit': (chat, data) => {
    chat.warnings.set('rate', { kind: 'rate', data });
  },
};
