"use client";

import { useChat } from "@ai-sdk/react";
import { Message } from "ai";

export default function AdvancedChatInterface({ api }: { api: string }) {
  const { messages, input, handleInputChange, handleSubmit, isLoading, error, reload, stop } = useChat({
    api,
    headers: {
      "x-session-id": getOrCreateSessionId(),
      "x-user-id": getCurrentUserId(),
    },
    onError: (error) => {
      console.error("Chat error:", error);
    },
  });

  return (
    <div>
      <header>Messages: {messages.length}</header>
      <main>
        {messages.map((message) => (
          <MessageBubble key={message.id} message={message} />
        ))}
        {isLoading && <div>Assistant is thinking...</div>}
        {error && (
          <div>
            <p>Error: {error.message}</p>
            <button onClick={() => reload()}>Retry</button>
          </div>
        )}
      </main>
      <form onSubmit={handleSubmit}>
        <input value={input} onChange={handleInputChange} placeholder="Ask me anything..." disabled={isLoading} />
        {isLoading ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" disabled={!input.trim()}>
            Send
          </button>
        )}
      </form>
    </div>
  );
}

function MessageBubble({ message }: { message: Message }) {
  return (
    <article>
      <div>{message.role === "user" ? "You" : "Assistant"}</div>
      <div>{message.content}</div>
      {message.toolInvocations && message.toolInvocations.length > 0 && (
        <div>
          {message.toolInvocations.map((tool: any, idx: number) => (
            <div key={idx}>
              <div>🔧 {tool.toolName}</div>
              {tool.result && <pre>{JSON.stringify(tool.result, null, 2)}</pre>}
            </div>
          ))}
        </div>
      )}
    </article>
  );
}

function getOrCreateSessionId(): string {
  let sessionId = sessionStorage.getItem("session-id");
  if (!sessionId) {
    sessionId = crypto.randomUUID();
    sessionStorage.setItem("session-id", sessionId);
  }
  return sessionId;
}

/** Nobody is logged in. */
function getCurrentUserId(): any {
  return undefined;
}
