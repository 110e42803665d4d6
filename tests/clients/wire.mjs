// What the wire carries, recorded beside the client: every request, every byte of every answer.

/** A `fetch` for the transport under test that hands the client its answer and keeps a copy. */
export class Wire {
  exchanges = [];
  #fetch = globalThis.fetch;
  #copies = [];
  #cuts = [];
  #end = new AbortController();

  fetch = async (url, init = {}) => {
    const exchange = {
      method: init.method ?? "GET",
      url: String(url),
      headers: Object.fromEntries(new Headers(init.headers)),
      body: init.body === undefined ? null : JSON.parse(init.body),
      status: null,
      responseHeaders: {},
      raw: "",
      broken: null,
    };
    this.exchanges.push(exchange);
    const line = new AbortController();
    const signals = [init.signal, this.#end.signal, line.signal].filter(Boolean);
    const response = await this.#fetch(url, { ...init, signal: AbortSignal.any(signals) });
    exchange.status = response.status;
    exchange.responseHeaders = Object.fromEntries(response.headers);
    if (response.body === null) return response;
    const [theirs, ours] = response.body.tee();
    this.#copies.push(copy(ours, exchange));
    return new Response(theirs.pipeThrough(this.#breakable(line)), response);
  };

  get posts() {
    return this.exchanges.filter((exchange) => exchange.method === "POST").length;
  }

  /** Lose the network: the server finds its connections gone, the client its reading broken, as in a browser. */
  cut() {
    for (const cut of this.#cuts) cut();
  }

  /** Wait for answers that the client stopped reading, at most `milliseconds`; then close every connection. */
  async settle(milliseconds) {
    const timer = setTimeout(() => this.#end.abort(), milliseconds);
    await Promise.all(this.#copies);
    clearTimeout(timer);
  }

  #breakable(line) {
    const start = (controller) => {
      this.#cuts.push(() => {
        controller.error(new TypeError("network error"));
        line.abort();
      });
    };
    return new TransformStream({ start });
  }
}

async function copy(stream, exchange) {
  const decoder = new TextDecoder();
  try {
    for await (const bytes of stream) exchange.raw += decoder.decode(bytes, { stream: true });
  } catch (error) {
    exchange.broken = `${error.name}: ${error.message}`;
  }
}

/** The data of each server-sent event in `raw`. */
export function* events(raw) {
  let data = [];
  for (const line of raw.split(/\r\n|\r|\n/)) {
    if (line.startsWith("data:")) {
      data.push(line.slice("data:".length).replace(/^ /, ""));
    } else if (line === "" && data.length > 0) {
      yield data.join("\n");
      data = [];
    }
  }
}
