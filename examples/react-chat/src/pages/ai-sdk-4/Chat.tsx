import { useChat, type Message } from "ai-sdk-4-react";
import { Bubble } from "../../components/Bubble";
import { ChatForm } from "../../components/ChatForm";
import { Conversation } from "../../components/Conversation";
import { CurrentAgent } from "../../components/CurrentAgent";
import { ErrorBanner } from "../../components/ErrorBanner";
import { Stats } from "../../components/Stats";
import { Thinking } from "../../components/Thinking";
import { ToolCall } from "../../components/ToolCall";
import { identityHeaders } from "../../identity";

export default function LegacyChat() {
  const { messages, input, handleInputChange, handleSubmit, isLoading, status, error, reload, stop, data } = useChat({
    api: "/api/chat-4",
    headers: identityHeaders(),
    onError: (error) => {
      console.error("Chat error:", error);
    },
  });

  return (
    <div className="chat">
      <Stats messages={messages.length} model={messages.map(modelOf).findLast(Boolean)} status={status} />
      {data && data.length > 0 && <CurrentAgent name={agentNameOf(data.at(-1)) ?? "Unknown"} />}
      <Conversation>
        {messages.map((message) => (
          <MessageBubble key={message.id} message={message} />
        ))}
        {isLoading && <Thinking>Assistant is thinking...</Thinking>}
        {error && <ErrorBanner error={error} onRetry={reload} />}
      </Conversation>
      <ChatForm
        input={input}
        placeholder="Ask about technical or billing issues..."
        isLoading={isLoading}
        onChange={handleInputChange}
        onSubmit={handleSubmit}
        onStop={stop}
      />
    </div>
  );
}

function MessageBubble({ message }: { message: Message }) {
  return (
    <Bubble role={message.role}>
      <p>{message.content}</p>
      {message.toolInvocations?.map((tool) => (
        <ToolCall
          key={tool.toolCallId}
          name={tool.toolName}
          result={tool.state === "result" ? tool.result : undefined}
        />
      ))}
    </Bubble>
  );
}

/** What later versions have as `message.metadata` stands in its annotations. */
function modelOf(message: Message): string | undefined {
  const annotations = message.annotations as { model?: string }[] | undefined;
  return annotations?.findLast((annotation) => annotation.model)?.model;
}

/** Each item of `data` is an object with the name of the agent that had the conversation then. */
function agentNameOf(item: unknown): string | undefined {
  return (item as { agentName?: string } | undefined)?.agentName;
}
