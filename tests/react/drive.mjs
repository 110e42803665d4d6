// node drive.mjs: plays the scenario of each line on stdin with a page in a document, one JSON line of what was seen each.

import { Console } from "node:console";
import { createInterface } from "node:readline";
import { openDocument } from "./document.mjs";

// stdout carries answers only; what the pages print goes to stderr.
globalThis.console = new Console(process.stderr, process.stderr);

openDocument(); // before React is loaded: it looks for one then
const { play } = await import("./play.mjs");

for await (const line of createInterface({ input: process.stdin })) {
  const seen = await play(JSON.parse(line));
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}

process.exit(); // a page that is closed may have left a timer behind
