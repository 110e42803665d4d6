"use client";

import { useChat } from "@ai-sdk/react";

/** A page that runs its tools by itself. */
export default function ToolChat({ api }: { api: string }) {
  const { messages, input, handleInputChange, handleSubmit, isLoading } = useChat({
    api,
    maxSteps: 5,
    onToolCall: async ({ toolCall }) => {
      if (toolCall.toolName === "locate") return "48.85";
    },
  });

  return (
    <div>
      {messages.map((message) => (
        <p key={message.id}>{message.content}</p>
      ))}
      {isLoading && <div>Assistant is typing...</div>}
      <form onSubmit={handleSubmit}>
        <input value={input} onChange={handleInputChange} />
        <button type="submit">Send</button>
      </form>
    </div>
  );
}
