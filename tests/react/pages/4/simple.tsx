"use client";

import { useChat } from "@ai-sdk/react";

export default function ChatInterface({ api }: { api: string }) {
  const { messages, input, handleInputChange, handleSubmit, isLoading } = useChat({ api });

  return (
    <div>
      <main>
        {messages.map((message) => (
          <article key={message.id}>
            <div>{message.role === "user" ? "You" : "Assistant"}</div>
            <div>{message.content}</div>
          </article>
        ))}
        {isLoading && <div>Assistant is typing...</div>}
      </main>
      <form onSubmit={handleSubmit}>
        <input value={input} onChange={handleInputChange} placeholder="Type your message..." disabled={isLoading} />
        <button type="submit" disabled={isLoading}>
          Send
        </button>
      </form>
    </div>
  );
}
