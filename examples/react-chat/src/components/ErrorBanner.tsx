export function ErrorBanner({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  return (
    <div className="error" role="alert">
      <p>Error: {wordsOf(error)}</p>
      {onRetry && (
        <button type="button" onClick={() => onRetry()}>
          Retry
        </button>
      )}
    </div>
  );
}

/** A refused request is answered with `{"error": "..."}`, whose text AI SDK takes for the message; it may be empty. */
function wordsOf({ message }: Error): string {
  try {
    return JSON.parse(message).error ?? message;
  } catch {
    return message || "No answer came.";
  }
}
