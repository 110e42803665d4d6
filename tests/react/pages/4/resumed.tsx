"use client";

import { useChat } from "@ai-sdk/react";
import { Message } from "ai";
import { useEffect, useState } from "react";

/** A page that shows its chat as the server has it, and reads on where an answer is still under way. */
export default function LoadedChat({ server, ...chat }: { server: string; api: string; id: string }) {
  const [initialMessages, setInitialMessages] = useState<Message[] | null>(null);
  useEffect(() => void load(`${server}/api/chats/${chat.id}`).then(setInitialMessages), []);
  return initialMessages && <ResumedChat {...chat} initialMessages={initialMessages} />;
}

async function load(url: string): Promise<Message[]> {
  const response = await fetch(url);
  if (!response.ok) return [];
  const { messages } = await response.json();
  return messages.map(({ id, role, parts }: any) => ({ id, role, content: textOf(parts) }));
}

function textOf(parts: any[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function ResumedChat(chat: { api: string; id: string; initialMessages: Message[] }) {
  const { messages, input, handleInputChange, handleSubmit, isLoading, error, addToolResult, experimental_resume } =
    useChat(chat);
  useEffect(() => void experimental_resume(), []);

  return (
    <div>
      {messages.map((message) => (
        <article key={message.id}>
          <div>{message.role}</div>
          <div>{message.content}</div>
          {message.toolInvocations?.map((tool: any) => (
            <section key={tool.toolCallId}>
              <code>
                {tool.toolName} {tool.state} {JSON.stringify(tool.result)}
              </code>
              {tool.state === "call" && !isLoading && (
                <button onClick={() => addToolResult({ toolCallId: tool.toolCallId, result: "48.85" })}>Tell</button>
              )}
            </section>
          ))}
        </article>
      ))}
      {isLoading && <div>Assistant is typing...</div>}
      {error && <p>Error: {error.message}</p>}
      <form onSubmit={handleSubmit}>
        <input value={input} onChange={handleInputChange} disabled={isLoading} />
        <button type="submit" disabled={isLoading}>
          Send
        </button>
      </form>
    </div>
  );
}
