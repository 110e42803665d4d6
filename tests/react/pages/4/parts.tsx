"use client";

import { useChat } from "@ai-sdk/react";
import { Attachment } from "ai";

/** The answers to calls that wait for the page, by the labels of their buttons. */
const ANSWERS: Record<string, Record<string, any>> = {
  locate: { Tell: "48.85" },
  pay_back: { Yes: { approved: true }, No: { approved: false, reason: "Too much." } },
};

type Props = { api: string; lastMessageOnly?: boolean; attachments?: Attachment[] };

/** Every part of a message, and buttons that answer a call which waits for the page. */
export default function PartsChat({ api, lastMessageOnly, attachments }: Props) {
  const { messages, input, handleInputChange, handleSubmit, isLoading, reload, stop, addToolResult } = useChat({
    api,
    maxSteps: 5,
    experimental_prepareRequestBody: lastMessageOnly
      ? ({ id, messages }) => ({ id, message: messages[messages.length - 1] })
      : undefined,
  });

  return (
    <div>
      {messages.map((message) => (
        <article key={message.id} title={message.id}>
          <div>{message.role}</div>
          {message.parts.map((part, index) => (
            <Part key={index} part={part} answer={isLoading ? null : addToolResult} />
          ))}
          <footer>{JSON.stringify(message.annotations)}</footer>
        </article>
      ))}
      {isLoading && <div>Loading</div>}
      <form onSubmit={(event) => handleSubmit(event, { experimental_attachments: attachments })}>
        <input value={input} onChange={handleInputChange} />
        <button type="submit">Send</button>
        <button type="button" onClick={() => reload()} disabled={isLoading}>
          Again
        </button>
        {isLoading && (
          <button type="button" onClick={stop}>
            Stop
          </button>
        )}
      </form>
    </div>
  );
}

/** `answer` is null while an answer streams: the hook would forget a result that comes too early. */
function Part({ part, answer }: { part: any; answer: ((answer: { toolCallId: string; result: any }) => void) | null }) {
  switch (part.type) {
    case "step-start":
      return <hr />;
    case "text":
      return <p>{part.text}</p>;
    case "reasoning":
      return <em>{part.reasoning}</em>;
    case "source":
      return <a href={part.source.url}>{part.source.title ?? part.source.url}</a>;
    case "file":
      return <img src={`data:${part.mimeType};base64,${part.data}`} />;
    case "tool-invocation":
      return <Invocation invocation={part.toolInvocation} answer={answer} />;
  }
}

function Invocation({ invocation, answer }: any) {
  const { toolCallId, toolName, state, args, result } = invocation;
  return (
    <section>
      <code>
        {toolName} {state} {JSON.stringify(args)} {JSON.stringify(result)}
      </code>
      {state === "call" &&
        answer &&
        Object.entries(ANSWERS[toolName] ?? {}).map(([label, result]) => (
          <button key={label} onClick={() => answer({ toolCallId, result })}>
            {label}
          </button>
        ))}
    </section>
  );
}
