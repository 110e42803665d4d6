// A document for React, and nothing else of a browser: the network stays node's own.

import { Window } from "happy-dom";

export function openDocument() {
  const window = new Window({ url: "http://page.test/" });
  globalThis.window = window;
  globalThis.document = window.document;
  globalThis.sessionStorage = window.sessionStorage;
  Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
}
