/** An answer that is read to its end, also where its connection breaks meanwhile. */

import { Refusal } from './api.js';
import { ConnectionLost } from './lines.js';

/** Milliseconds before each try to find a lost answer again. */
const TRY_AGAIN = [300, 1000, 2000, 4000, 8000];
/** What is answered in place of a server that is about to come back: by a proxy, or by itself on its way down. */
const AWAY = [0, 502, 503, 504];

/** Read with `begin`; where the answer is lost, `onLost` is called, and `findAgain` reads it. */
export async function readToEnd({ begin, findAgain, onLost, signal }) {
  for (let tries = 0; ; tries += 1) {
    try {
      await (tries ? findAgain() : begin());
      return;
    } catch (error) {
      if (signal.aborted || !isLost(error, tries)) throw error;
      if (tries === TRY_AGAIN.length) throw new ConnectionLost();
      onLost();
      await pause(TRY_AGAIN[tries], signal);
    }
  }
}

/** Whether an answer may be found again: it had begun. A request that was refused had not. */
function isLost(error, tries) {
  return error instanceof ConnectionLost || (error instanceof Refusal && tries > 0 && AWAY.includes(error.status));
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
