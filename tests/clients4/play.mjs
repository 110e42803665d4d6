// One scenario, played on a page as its user would: writing, pressing, waiting; the page is compiled as it is written.

import { pathToFileURL } from "node:url";
import { parseDataStreamPart } from "ai";
import { build } from "esbuild";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

const PAGES = "node_modules/.pages";

/** Play `scenario` (harness.py tells its fields); gives all that was seen. */
export async function play({ page, url, actions, limit }) {
  const wire = recordWire();
  const container = document.body.appendChild(document.createElement("div"));
  const root = createRoot(container);
  const views = [];
  const look = () => {
    const view = texts(container);
    if (view !== views.at(-1)) views.push(view);
  };
  const observer = new window.MutationObserver(look);
  observer.observe(container, { childList: true, subtree: true, characterData: true });
  const deadline = Date.now() + limit * 1000;
  let stuck = null;
  root.render(createElement(await load(page), { api: url }));
  for (const action of actions) {
    if (!(await act(container, action, deadline))) {
      stuck = action;
      break;
    }
  }
  look();
  const html = container.innerHTML;
  observer.disconnect();
  root.unmount();
  container.remove();
  await wire.end();
  return { views, html, stuck, exchanges: wire.exchanges };
}

async function load(page) {
  const outfile = `${PAGES}/${page}.mjs`;
  await build({ entryPoints: [`pages/${page}.tsx`], outfile, format: "esm", jsx: "automatic", logLevel: "error" });
  return (await import(pathToFileURL(outfile))).default;
}

/** Do one thing as soon as the page lets it be done; false where it does not until `deadline`. */
async function act(container, { write, press, wait, gone }, deadline) {
  while (Date.now() < deadline) {
    if (wait !== null && texts(container).includes(wait)) return true;
    if (gone !== null && !texts(container).includes(gone)) return true;
    if (write !== null && tryToWrite(container.querySelector("input"), write)) return true;
    if (press !== null && tryToPress([...container.querySelectorAll("button")], press)) return true;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}

/** What a page shows, a line for each element that has a text of its own. */
function texts(element) {
  const children = [...element.children].map(texts);
  const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data);
  return [own.join(""), ...children].filter((text) => text !== "").join("\n");
}

function tryToWrite(input, text) {
  if (input === null || input.disabled) return false;
  // React remembers the value that it set itself, and takes an event without another value for none.
  Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value").set.call(input, text);
  input.dispatchEvent(new window.Event("input", { bubbles: true }));
  return true;
}

function tryToPress(buttons, label) {
  const button = buttons.find((each) => each.textContent === label && !each.disabled);
  button?.click();
  return button !== undefined;
}

/** Every exchange of this page: what was posted, and the lines of the answer as the client's own parser reads them. */
function recordWire() {
  const nodes = globalThis.fetch;
  const exchanges = [];
  const copies = [];
  globalThis.fetch = async (url, init) => {
    const exchange = { headers: { ...init.headers }, body: JSON.parse(init.body), status: null, raw: "", problems: [] };
    exchanges.push(exchange);
    const response = await nodes(url, init);
    exchange.status = response.status;
    const [theirs, ours] = response.body.tee();
    copies.push(copy(ours, exchange));
    return new Response(theirs, response);
  };
  const end = async () => {
    globalThis.fetch = nodes;
    await Promise.all(copies);
    for (const exchange of exchanges) if (exchange.status === 200) exchange.problems = problems(exchange.raw);
  };
  return { exchanges, end };
}

async function copy(stream, exchange) {
  const decoder = new TextDecoder();
  try {
    for await (const bytes of stream) exchange.raw += decoder.decode(bytes, { stream: true });
  } catch {
    // the page stopped it
  }
}

function problems(raw) {
  return raw.split("\n").flatMap((line) => {
    try {
      if (line !== "") parseDataStreamPart(line);
      return [];
    } catch (error) {
      return [`${line}: ${error.message}`];
    }
  });
}
