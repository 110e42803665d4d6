import { Provider, useChat, useDataPart } from "@fondation-io/store";
import { DefaultChatTransport } from "ai";
import { ChatForm } from "../../components/ChatForm";
import { Conversation } from "../../components/Conversation";
import { CurrentAgent } from "../../components/CurrentAgent";
import { ErrorBanner } from "../../components/ErrorBanner";
import { MessageBubble } from "../../components/MessageBubble";
import { Thinking } from "../../components/Thinking";
import type { ChatMessage } from "../../messages";
import { useInput } from "../../useInput";

const transport = new DefaultChatTransport<ChatMessage>({ api: "/api/chat-multi" });

export default function MultiAgentPage() {
  return (
    <Provider>
      <MultiAgentChat />
    </Provider>
  );
}

function MultiAgentChat() {
  const [agentStatus] = useDataPart<{ agentName: string }>("agent-status");
  const { messages, sendMessage, status, error } = useChat({ transport });
  const { input, handleInputChange, handleSubmit } = useInput(sendMessage);
  const isLoading = status === "submitted" || status === "streaming";

  return (
    <div className="chat">
      {agentStatus && <CurrentAgent name={agentStatus.agentName} />}
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
