// One scenario, played by a real client: a page that takes its turns, and others that read along.

import { Page } from "./page.mjs";

/** Play `scenario` (harness.py tells its fields) with the `ai` module `sdk`; gives all that was seen. */
export async function play(sdk, scenario) {
  const page = new Page(sdk, scenario, scenario.messages);
  const readers = [];
  let timedOut = false;
  await withinLimit(scenario.limit, takeTurns(page, readers, scenario.turns, () => timedOut), () => {
    timedOut = true;
    for (const each of [page, ...readers]) each.leave();
  });
  const [seen, ...read] = await Promise.all([page, ...readers].map((each) => each.seen(timedOut)));
  return { ...seen, readers: read };
}

async function takeTurns(page, readers, turns, isOver) {
  for (const turn of turns) {
    if (isOver()) return;
    if (turn.readers === 0) {
      if (turn.resume) page.onText(() => page.release());
      await page.take(turn);
    } else {
      await readAlong(page, turn, readers);
    }
  }
}

/** Take the turn while other pages, opened with its first word, read the same answer. */
async function readAlong(page, turn, readers) {
  const begun = new Promise((resolve) => page.onText(resolve));
  const taken = page.take(turn);
  await begun;
  const others = await Promise.all(Array.from({ length: turn.readers }, () => page.reopened()));
  readers.push(...others);
  const shown = others.map((other) => new Promise((resolve) => other.onText(resolve)));
  const read = others.map((other) => other.take({ resume: true }));
  await Promise.all(shown);
  await page.release();
  await Promise.all([taken, ...read]);
}

async function withinLimit(seconds, work, onLimit) {
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(() => resolve(onLimit()), seconds * 1000);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
