"use client";

import { Provider, useChat, useDataPart, useDataParts } from "@fondation-io/store";
import { DefaultChatTransport } from "ai";
import { FormEvent, useState } from "react";

export default function ChatPage({ api }: { api: string }) {
  return (
    <Provider>
      <CurrentAgent />
      <ChatInterface api={api} />
      <DataParts />
    </Provider>
  );
}

function CurrentAgent() {
  const [status] = useDataPart<{ agentName: string }>("agent-status");
  const [handoff] = useDataPart<{ from: string; to: string; reason?: string }>("agent-handoff");
  return (
    <aside>
      {status && (
        <div>
          <span>Current Agent: </span>
          <span>{status.agentName}</span>
        </div>
      )}
      {handoff && (
        <p>
          {handoff.from} to {handoff.to}: {handoff.reason}
        </p>
      )}
    </aside>
  );
}

function ChatInterface({ api }: { api: string }) {
  const [input, setInput] = useState("");
  const { messages, sendMessage, regenerate, stop, status, error, addToolResult } = useChat({
    transport: new DefaultChatTransport({ api, headers: { "x-session-id": "session-1" } }),
  });
  const isLoading = status === "submitted" || status === "streaming";
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    sendMessage({ text: input });
    setInput("");
  };

  return (
    <div>
      <header>
        <span>Status: </span>
        <span>{status}</span>
      </header>
      <main>
        {messages.map((message) => (
          <MessageBubble
            key={message.id}
            message={message}
            answer={(tool, toolCallId, output) => addToolResult({ tool, toolCallId, output }).then(() => sendMessage())}
          />
        ))}
        {isLoading && <div>Assistant is thinking...</div>}
        {error && <p>Error: {error.message}</p>}
      </main>
      <form onSubmit={handleSubmit}>
        <input value={input} onChange={(event) => setInput(event.target.value)} disabled={isLoading} />
        {isLoading ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit">Send</button>
        )}
        <button type="button" onClick={() => regenerate()} disabled={isLoading}>
          Again
        </button>
      </form>
    </div>
  );
}

type Answer = (tool: string, toolCallId: string, output: unknown) => void;

function MessageBubble({ message, answer }: { message: any; answer: Answer }) {
  const text = message.parts.filter((part: any) => part.type === "text").map((part: any) => part.text);
  const tools = message.parts.filter((part: any) => part.type.startsWith("tool-"));
  return (
    <article>
      <div>{message.metadata?.agentName ?? "You"}</div>
      <div>{text.join("")}</div>
      {tools.map(({ type, toolCallId, state, input, output, errorText }: any) => (
        <section key={toolCallId}>
          <code>
            {type} {state} {JSON.stringify(input)} {JSON.stringify(output)} {errorText}
          </code>
          {type === "tool-locate" && state === "input-available" && (
            <button onClick={() => answer("locate", toolCallId, "48.85")}>Tell</button>
          )}
        </section>
      ))}
    </article>
  );
}

/** What tools emitted: `progress` goes by, a `chart` is a part of its message. */
function DataParts() {
  const [progress] = useDataPart<{ percent: number }>("progress");
  const { byType } = useDataParts();
  return (
    <footer>
      {progress && <p>{progress.percent} %</p>}
      {Object.entries(byType).map(([name, part]) => (
        <p key={name}>
          {name} {JSON.stringify(part.data)}
        </p>
      ))}
    </footer>
  );
}
