/** The body of a turn. A route that keeps its chats gets what is new; one that keeps none, the whole conversation. */

/** `turn` is `{kind: 'ask', asked}`, `{kind: 'regenerate', answerId}` or `{kind: 'answer', answers}`. */
export function turnBody(chat, turn) {
  const { context, agentChoice } = chat.options(chat.route);
  const body = { id: chat.id, ...(context && { context }), ...(agentChoice && { agentChoice }) };
  if (turn.kind === 'answer') return { ...body, messageId: chat.last.id, ...given(turn.answers) };
  if (chat.route.chats === 'client') return { ...body, messages: chat.messages.map(sent) };
  if (turn.kind === 'ask') return { ...body, message: sent(turn.asked) };
  return { ...body, trigger: 'regenerate-message', messageId: turn.answerId };
}

/** A yes or a no is an approval where the call has the id of one; elsewhere it is the tool's output. */
function given(answers) {
  const approvals = [];
  const toolOutputs = [];
  for (const {
    part,
    given: { approved, reason, output, errorText },
  } of answers) {
    if (approved === undefined) toolOutputs.push({ toolCallId: part.toolCallId, output, errorText });
    else if (part.approval?.id) approvals.push({ id: part.approval.id, approved, reason });
    else toolOutputs.push({ toolCallId: part.toolCallId, output: { approved, reason } });
  }
  return { approvals, toolOutputs };
}

/** Put what the person answered into the part, as the server will tell it. */
export function applyAnswer(part, given) {
  if ('approved' in given) {
    part.approval = { ...part.approval, ...given };
    if (part.state === 'approval-requested') part.state = 'approval-responded';
  } else if ('errorText' in given) {
    Object.assign(part, { state: 'output-error', errorText: given.errorText });
  } else {
    Object.assign(part, { state: 'output-available', output: given.output });
  }
}

/** A message as both protocols read it; parts of the page's own stay here. */
function sent({ id, role, parts, metadata }) {
  const said = parts.filter((part) => part.type === 'text' || part.type === 'file');
  if (role === 'user') return { id, role, parts: said };
  const annotations = [{ type: 'message-metadata', ...metadata }];
  return { id, role, parts: said.filter((part) => part.type === 'text'), metadata, annotations };
}
