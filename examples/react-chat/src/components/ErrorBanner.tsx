export function ErrorBanner({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  return (
    <div className="error" role="alert">
      <p>Error: {wordsOf(error)}</p>
      {onRetry && <button onClick={onRetry}>Retry</button>}
    </div>
  );
}

/** A request that is refused is answered with `{"error": "..."}`, and its text is the error's message. */
function wordsOf(error: Error): string {
  try {
    return JSON.parse(error.message).error ?? error.message;
  } catch {
    return error.message;
  }
}
