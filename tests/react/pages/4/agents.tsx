"use client";

import { useChat } from "@ai-sdk/react";

export default function MultiAgentChat({ api }: { api: string }) {
  const { messages, input, handleInputChange, handleSubmit, isLoading, data } = useChat({ api });

  return (
    <div>
      {data && data.length > 0 && (
        <aside>
          <span>Current Agent: </span>
          <span>{(data[data.length - 1] as any)?.agentName || "Unknown"}</span>
        </aside>
      )}
      <main>
        {messages.map((message) => (
          <article key={message.id}>
            <div>{message.role === "user" ? "You" : "Assistant"}</div>
            <div>{message.content}</div>
          </article>
        ))}
      </main>
      <form onSubmit={handleSubmit}>
        <input value={input} onChange={handleInputChange} placeholder="Ask about billing..." disabled={isLoading} />
        <button type="submit" disabled={isLoading}>
          Send
        </button>
      </form>
    </div>
  );
}
