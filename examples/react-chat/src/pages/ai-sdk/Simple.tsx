import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { ChatForm } from "../../components/ChatForm";
import { Conversation } from "../../components/Conversation";
import { ErrorBanner } from "../../components/ErrorBanner";
import { MessageBubble } from "../../components/MessageBubble";
import { Thinking } from "../../components/Thinking";
import type { ChatMessage } from "../../messages";
import { useInput } from "../../useInput";

const transport = new DefaultChatTransport<ChatMessage>({ api: "/api/chat" });

export default function ChatInterface() {
  const { messages, sendMessage, status, error } = useChat({ transport });
  const { input, handleInputChange, handleSubmit } = useInput(sendMessage);
  const isLoading = status === "submitted" || status === "streaming";

  return (
    <div className="chat">
      <Conversation>
        {messages.map((message) => (
          <MessageBubble key={message.id} message={message} />
        ))}
        {isLoading && <Thinking>Assistant is typing...</Thinking>}
        {error && <ErrorBanner error={error} />}
      </Conversation>
      <ChatForm
        input={input}
        placeholder="Type your message..."
        isLoading={isLoading}
        onChange={handleInputChange}
        onSubmit={handleSubmit}
      />
    </div>
  );
}
