// A recorded answer, chunk by chunk, each judged by the client that it was for.

import { withChunks } from "../clients/judge.mjs";

/** The exchange with its chunks; `module` has the judges of the page's own client. */
export async function judged(module, exchange) {
  return module.parseDataStreamPart === undefined ? withChunks(module, exchange) : withLines(module, exchange);
}

/** A line of a data stream is a chunk of its own, and the last one tells the end. */
function withLines({ parseDataStreamPart }, exchange) {
  const streamed = "x-vercel-ai-data-stream" in exchange.responseHeaders;
  const lines = streamed ? exchange.raw.split("\n").filter((line) => line !== "") : [];
  const chunks = lines.map((line) => judge(parseDataStreamPart, line));
  return { ...exchange, chunks, done: lines.at(-1)?.startsWith("d:") ?? false };
}

function judge(parse, line) {
  try {
    return { chunk: parse(line), problem: null };
  } catch (error) {
    return { chunk: { unreadable: line }, problem: error.message };
  }
}
