/** What this browser keeps; where it may keep nothing, it is kept as long as the page is open. */

const PREFIX = 'fondation.';
const here = new Map();

export function remembered(name) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    if (text !== null) return JSON.parse(text);
  } catch {
    // not allowed, or not written by us
  }
  return here.get(name) ?? null;
}

/** Whether it lasts: a browser's room is small. */
export function remember(name, value) {
  here.set(name, value);
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
