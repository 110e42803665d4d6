import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { ChatForm } from "../../components/ChatForm";
import { Conversation } from "../../components/Conversation";
import { ErrorBanner } from "../../components/ErrorBanner";
import { MessageBubble } from "../../components/MessageBubble";
import { Stats } from "../../components/Stats";
import { Thinking } from "../../components/Thinking";
import { identityHeaders } from "../../identity";
import { newestModel, type ChatMessage } from "../../messages";
import { useInput } from "../../useInput";

const transport = new DefaultChatTransport<ChatMessage>({ api: "/api/chat", headers: identityHeaders });

export default function AdvancedChatInterface() {
  const { messages, sendMessage, status, error, regenerate, stop } = useChat({
    transport,
    onError: (error) => {
      console.error("Chat error:", error);
    },
  });
  const { input, handleInputChange, handleSubmit } = useInput(sendMessage);
  const isLoading = status === "submitted" || status === "streaming";

  return (
    <div className="chat">
      <Stats messages={messages.length} model={newestModel(messages)} status={status} />
      <Conversation>
        {messages.map((message) => (
          <MessageBubble key={message.id} message={message} />
        ))}
        {isLoading && <Thinking>Assistant is thinking...</Thinking>}
        {error && <ErrorBanner error={error} onRetry={regenerate} />}
      </Conversation>
      <ChatForm
        input={input}
        placeholder="Ask me anything..."
        isLoading={isLoading}
        onChange={handleInputChange}
        onSubmit={handleSubmit}
        onStop={stop}
      />
    </div>
  );
}
