// The chunks of an answer, as the schema of a client judges them.

import { events } from "./wire.mjs";

/** The exchange with each event of its answer, judged by the schema of this very client. */
export async function withChunks(sdk, exchange) {
  const { uiMessageChunkSchema } = sdk;
  const schema = sdk.asSchema(
    typeof uiMessageChunkSchema === "function" ? uiMessageChunkSchema() : uiMessageChunkSchema,
  );
  const streamed = (exchange.responseHeaders["content-type"] ?? "").startsWith("text/event-stream");
  const frames = streamed ? [...events(exchange.raw)] : [];
  const chunks = frames.filter((frame) => frame !== "[DONE]").map((frame) => judge(schema, frame));
  return { ...exchange, chunks: await Promise.all(chunks), done: frames.at(-1) === "[DONE]" };
}

async function judge(schema, frame) {
  let chunk;
  try {
    chunk = JSON.parse(frame);
  } catch (error) {
    return { chunk: { unreadable: frame }, problem: error.message };
  }
  const result = await schema.validate(chunk);
  return { chunk, problem: result.success ? null : result.error.message };
}
