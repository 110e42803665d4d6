import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { useState } from "react";
import { ChatForm } from "../../components/ChatForm";
import { Conversation } from "../../components/Conversation";
import { CurrentAgent } from "../../components/CurrentAgent";
import { ErrorBanner } from "../../components/ErrorBanner";
import { MessageBubble } from "../../components/MessageBubble";
import { Thinking } from "../../components/Thinking";
import type { ChatMessage } from "../../messages";
import { useInput } from "../../useInput";

const transport = new DefaultChatTransport<ChatMessage>({ api: "/api/chat-multi" });

export default function MultiAgentChat() {
  const [agentName, setAgentName] = useState<string>();
  const { messages, sendMessage, status, error } = useChat({
    transport,
    onData: (part) => {
      if (part.type === "data-agent-status") setAgentName(part.data.agentName);
    },
  });
  const { input, handleInputChange, handleSubmit } = useInput(sendMessage);
  const isLoading = status === "submitted" || status === "streaming";

  return (
    <div className="chat">
      {agentName && <CurrentAgent name={agentName} />}
      <Conversation>
        {messages.map((message) => (
          <MessageBubble key={message.id} message={message} />
        ))}
        {isLoading && <Thinking>Assistant is typing...</Thinking>}
        {error && <ErrorBanner error={error} />}
      </Conversation>
      <ChatForm
        input={input}
        placeholder="Ask about technical or billing issues..."
        isLoading={isLoading}
        onChange={handleInputChange}
        onSubmit={handleSubmit}
      />
    </div>
  );
}
