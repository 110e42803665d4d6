import type { ReactNode } from "react";

/** The messages, in a box that scrolls and stays at its end. */
export function Conversation({ children }: { children: ReactNode }) {
  return (
    <div className="conversation" role="log" aria-label="Conversation" tabIndex={0}>
      <div>{children}</div>
    </div>
  );
}
