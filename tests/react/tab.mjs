// One tab of a browser: a page in the document, all that it shows, says on the console, and has on the wire.

import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { Wire } from "../clients/wire.mjs";
import { bundle } from "./bundle.mjs";
import { judged } from "./judge.mjs";

const SETTLE = 2_000;
let loads = 0;

export class Tab {
  views = [];
  complaints = [];
  #exchanges = [];

  constructor(page, major, props) {
    this.page = page;
    this.major = major;
    this.props = props;
    this.container = document.body.appendChild(document.createElement("div"));
    this.fetch = globalThis.fetch;
    this.console = globalThis.console;
    globalThis.console = { ...console, error: this.#complain, warn: this.#complain };
    this.observer = new window.MutationObserver(this.look);
    this.observer.observe(this.container, { childList: true, subtree: true, characterData: true });
  }

  /** Load the page: its module is a new one, so that nothing is left of an earlier page. */
  async open() {
    const file = pathToFileURL(await bundle(this.page, this.major));
    this.module = await import(`${file}?load=${(loads += 1)}`);
    this.wire = new Wire();
    globalThis.fetch = this.wire.fetch;
    this.root = this.module.mount(this.container, this.props, (error) => this.#complain("%s", error));
  }

  /** Leave the page and load it anew; what it still reads breaks off. */
  async reload() {
    await this.#leave(0);
    await this.open();
  }

  /** Leave the page for good; gives what was seen of it. */
  async close() {
    this.look();
    const html = this.container.innerHTML;
    this.observer.disconnect();
    await this.#leave(SETTLE);
    this.container.remove();
    globalThis.console = this.console;
    return { views: this.views, html, complaints: this.complaints, exchanges: this.#exchanges };
  }

  /** Note what the page shows, where that has changed. */
  look = () => {
    const view = this.text;
    if (view !== this.views.at(-1)) this.views.push(view);
  };

  /** What the page shows, a line for each element that has a text of its own. */
  get text() {
    return textOf(this.container);
  }

  write(text) {
    const input = this.container.querySelector("input");
    if (input === null || input.disabled) return false;
    // React remembers the value that it set itself, and takes an event without another value for none.
    Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value").set.call(input, text);
    input.dispatchEvent(new window.Event("input", { bubbles: true }));
    return true;
  }

  press(label) {
    const buttons = [...this.container.querySelectorAll("button")];
    const button = buttons.find((each) => each.textContent === label && !each.disabled);
    button?.click();
    return button !== undefined;
  }

  async #leave(milliseconds) {
    this.root.unmount();
    await this.wire.settle(milliseconds);
    globalThis.fetch = this.fetch;
    this.#exchanges.push(...(await Promise.all(this.wire.exchanges.map((each) => judged(this.module, each)))));
  }

  #complain = (...words) => this.complaints.push(format(...words));
}

function textOf(element) {
  const children = [...element.children].map(textOf);
  const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data);
  return [own.join(""), ...children].filter((text) => text !== "").join("\n");
}
