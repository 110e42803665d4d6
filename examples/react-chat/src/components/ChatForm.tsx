import { useEffect, useRef, type ChangeEvent, type FormEvent } from "react";

type Props = {
  input: string;
  placeholder: string;
  isLoading: boolean;
  onChange: (event: ChangeEvent<HTMLInputElement>) => void;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  /** With it the button stops the answer while there is one. */
  onStop?: () => void;
};

export function ChatForm({ input, placeholder, isLoading, onChange, onSubmit, onStop }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!isLoading) field.current?.focus(); // a field that was disabled has lost it
  }, [isLoading]);

  return (
    <form onSubmit={onSubmit}>
      <input
        ref={field}
        value={input}
        onChange={onChange}
        placeholder={placeholder}
        aria-label="Message"
        disabled={isLoading}
      />
      {isLoading && onStop ? (
        <button type="button" className="stop" onClick={() => onStop()}>
          Stop
        </button>
      ) : (
        <button type="submit" disabled={isLoading || !input.trim()}>
          Send
        </button>
      )}
    </form>
  );
}
