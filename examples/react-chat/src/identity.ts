/** Who asks: the headers that a server keeps chats and costs by. */
export function identityHeaders(): Record<string, string> {
  const userId = getCurrentUserId();
  return { "x-session-id": getOrCreateSessionId(), ...(userId && { "x-user-id": userId }) };
}

function getOrCreateSessionId(): string {
  let sessionId = sessionStorage.getItem("session-id");
  if (!sessionId) {
    sessionId = crypto.randomUUID();
    sessionStorage.setItem("session-id", sessionId);
  }
  return sessionId;
}

/** Nobody, or whom the address names (`/?user=ada`): put what your login knows in its place. */
function getCurrentUserId(): string | undefined {
  return new URLSearchParams(location.search).get("user") ?? undefined;
}
