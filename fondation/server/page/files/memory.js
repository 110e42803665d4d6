/** What this browser keeps; where it may keep nothing, or has no room, it is kept as long as the page is open. */

const PREFIX = 'fondation.';

class Memory {
  #storage;
  #here = new Map(); // what the storage did not take

  /** `storage` gives it: a browser that keeps nothing raises already there. */
  constructor(storage) {
    this.#storage = storage;
  }

  read(name) {
    if (this.#here.has(name)) return this.#here.get(name);
    try {
      return JSON.parse(this.#storage().getItem(PREFIX + name));
    } catch {
      return null; // not allowed, or not written by us
    }
  }

  /** Whether it lasts. */
  write(name, value) {
    try {
      this.#storage().setItem(PREFIX + name, JSON.stringify(value));
      this.#here.delete(name);
      return true;
    } catch {
      this.#here.set(name, value);
      return false;
    }
  }
}

const browser = new Memory(() => localStorage);
const tab = new Memory(() => sessionStorage);

export const remembered = (name) => browser.read(name);
export const remember = (name, value) => browser.write(name, value);

/** The same of this tab alone: also over a reload, not over its end. */
export const rememberedHere = (name) => tab.read(name);
export const rememberHere = (name, value) => tab.write(name, value);
