import { Provider, useChat } from "@fondation-io/store";
import { DefaultChatTransport } from "ai";
import { Bubble } from "../../components/Bubble";
import { ChatForm } from "../../components/ChatForm";
import { Conversation } from "../../components/Conversation";
import { ErrorBanner } from "../../components/ErrorBanner";
import { Thinking } from "../../components/Thinking";
import { textOf, type ChatMessage } from "../../messages";
import { useInput } from "../../useInput";

const transport = new DefaultChatTransport<ChatMessage>({ api: "/api/chat" });

export default function ChatPage() {
  return (
    <Provider>
      <ChatInterface />
    </Provider>
  );
}

function ChatInterface() {
  const { messages, sendMessage, status, error } = useChat({ transport });
  const { input, handleInputChange, handleSubmit } = useInput(sendMessage);
  const isLoading = status === "submitted" || status === "streaming";

  return (
    <div className="chat">
      <Conversation>
        {messages.map((message) => (
          <Bubble key={message.id} role={message.role}>
            <p>{textOf(message)}</p>
          </Bubble>
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
