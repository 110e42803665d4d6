import { getToolName, isToolUIPart } from "ai";
import type { ChatMessage } from "../messages";
import { Bubble } from "./Bubble";
import { ToolCall } from "./ToolCall";

/** A message of AI SDK 5 and later: its texts and tool calls in the order in which they came. */
export function MessageBubble({ message }: { message: ChatMessage }) {
  return (
    <Bubble role={message.role}>
      {message.parts.map((part, index) => (
        <Part key={index} part={part} />
      ))}
    </Bubble>
  );
}

function Part({ part }: { part: ChatMessage["parts"][number] }) {
  if (part.type === "text") return <p>{part.text}</p>;
  if (isToolUIPart(part)) return <ToolCall name={getToolName(part)} result={part.errorText ?? part.output} />;
  return null;
}
