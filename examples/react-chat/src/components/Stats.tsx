type Props = {
  /** How many there are. */
  messages: number;
  model?: string;
  status: string;
};

export function Stats({ messages, model = "none yet", status }: Props) {
  return (
    <header>
      <h2>AI Assistant</h2>
      <p>
        Messages: {messages} | Model: {model} | Status: {status}
      </p>
    </header>
  );
}
