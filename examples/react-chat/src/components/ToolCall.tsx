/** A tool that was called, with its result once there is one. */
export function ToolCall({ name, result }: { name: string; result?: unknown }) {
  return (
    <div className="tool">
      <code>🔧 {name}</code>
      {result !== undefined && <pre>{JSON.stringify(result, null, 2)}</pre>}
    </div>
  );
}
