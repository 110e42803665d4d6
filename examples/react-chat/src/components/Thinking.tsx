export function Thinking({ children }: { children: string }) {
  return (
    <div className="thinking" role="status">
      <span className="spinner" />
      {children}
    </div>
  );
}
