import type { UIMessage } from "ai";

/** What a fondation server says about a message. */
type Metadata = { agentName?: string; model?: string };

/** Who has the conversation: a part that goes by, beside text and tool calls. */
type DataParts = { "agent-status": { status: string; agentName: string } };

export type ChatMessage = UIMessage<Metadata, DataParts>;

/** What a message says, without what its agents did: `message.content` up to AI SDK 4. */
export function textOf(message: ChatMessage): string {
  return message.parts
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("\n\n");
}

/** The model that wrote the newest answer. */
export function newestModel(messages: ChatMessage[]): string | undefined {
  return messages.findLast((message) => message.metadata?.model)?.metadata?.model;
}
