import { useState, type ChangeEvent, type FormEvent } from "react";

/** The form's state, which `useChat` kept itself up to AI SDK 4. */
export function useInput(sendMessage: (message: { text: string }) => void) {
  const [input, setInput] = useState("");

  const handleInputChange = (event: ChangeEvent<HTMLInputElement>) => setInput(event.target.value);

  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (!input.trim()) return;
    sendMessage({ text: input });
    setInput("");
  };

  return { input, handleInputChange, handleSubmit };
}
