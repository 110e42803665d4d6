// One scenario, played on a page as its user would: writing, pressing, waiting, loading it anew.

import { Tab } from "./tab.mjs";

const LOOK = 5;

/** Play `scenario` (harness.py tells its fields); gives all that was seen. */
export async function play({ page, major, props, actions, limit }) {
  const tab = new Tab(page, major, props);
  await tab.open();
  const stuck = await firstUndone(tab, actions, Date.now() + limit * 1000);
  return { ...(await tab.close()), stuck };
}

async function firstUndone(tab, actions, deadline) {
  for (const action of actions) if (!(await act(tab, action, deadline))) return action;
  return null;
}

/** Do one thing as soon as the page lets it be done; false where it does not until `deadline`. */
async function act(tab, { write, press, wait, gone, reload, post }, deadline) {
  if (reload) return tab.reload().then(() => true);
  if (post !== null) return tab.fetch(post, { method: "POST" }).then(() => true);
  while (Date.now() < deadline) {
    if (wait !== null && tab.text.includes(wait)) return true;
    if (gone !== null && !tab.text.includes(gone)) return true;
    if (write !== null && tab.write(write)) return true;
    if (press !== null && tab.press(press)) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  return false;
}
