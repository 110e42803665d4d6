/** The bytes of an answer as lines, and as the events of a `text/event-stream`. */

/** The connection broke before the answer came to its end. */
export class ConnectionLost extends Error {
  constructor() {
    super('The connection was lost before the answer came to its end.');
  }
}

/** The lines of a stream of bytes, without their ends, which are CR, LF or both. */
export async function* lines(body) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of reads(body)) {
    rest += decoder.decode(bytes, { stream: true });
    const isHalf = rest.endsWith('\r'); // its LF may be in the next read
    const whole = (isHalf ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/);
    rest = whole.pop() + (isHalf ? '\r' : '');
    yield* whole;
  }
  rest += decoder.decode();
  if (rest) yield rest.replace(/\r$/, '');
}

/** The data of each event; the last one counts also where the stream ends without its blank line. */
export async function* events(body) {
  let data = [];
  for await (const line of lines(body)) {
    if (line === '') {
      if (data.length) yield data.join('\n');
      data = [];
    } else if (line.startsWith('data:')) {
      data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
  }
  if (data.length) yield data.join('\n');
}

/** What comes, as it comes. Whoever stops reading leaves the connection. */
async function* reads(body) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(lose);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function lose(error) {
  throw error.name === 'AbortError' ? error : new ConnectionLost();
}
