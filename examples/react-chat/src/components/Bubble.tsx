import type { ReactNode } from "react";

/** One message: who says it, above what is said. */
export function Bubble({ role, children }: { role: string; children: ReactNode }) {
  return (
    <article className={`bubble ${role}`}>
      <h2>{role === "user" ? "You" : "Assistant"}</h2>
      {children}
    </article>
  );
}
