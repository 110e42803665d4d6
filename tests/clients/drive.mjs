// node drive.mjs ai-5.0.71: plays the scenario of each line on stdin with that client, one JSON line of what was seen each.

import { Console } from "node:console";
import { createInterface } from "node:readline";
import { play } from "./play.mjs";

// stdout carries answers only; what the clients print goes to stderr.
globalThis.console = new Console(process.stderr, process.stderr);

const sdk = await import(process.argv[2]);

for await (const line of createInterface({ input: process.stdin })) {
  const seen = await play(sdk, JSON.parse(line));
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}
