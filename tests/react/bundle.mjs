// A page and all that it imports as one module, as a bundler makes it for a browser, with the AI SDK of one major.

import { build } from "esbuild";

const FOLDER = import.meta.dirname;
const HOOKS = { 4: "hooks-4", 5: "hooks-5", 6: "@ai-sdk/react", 7: "hooks-7" };
const JUDGES = { 4: "parseDataStreamPart" };

const bundled = new Map();

/** The file of the module: it can `mount` the page, and has what judges a stream as that major's client does. */
export async function bundle(page, major) {
  const outfile = `${FOLDER}/node_modules/.pages/${page}-${major}.mjs`;
  if (!bundled.has(outfile)) bundled.set(outfile, write(outfile, page, major));
  await bundled.get(outfile);
  return outfile;
}

async function write(outfile, page, major) {
  await build({
    stdin: { contents: entry(page, major), resolveDir: FOLDER, sourcefile: "entry.js" },
    outfile,
    bundle: true,
    format: "esm",
    platform: "browser",
    jsx: "automatic",
    jsxDev: true,
    define: { "process.env.NODE_ENV": '"development"' }, // React says more then
    plugins: [sdk(major)],
    logLevel: "error",
  });
}

const entry = (page, major) => `
  import { createElement } from "react";
  import { createRoot } from "react-dom/client";
  import Page from "./pages/${page}.tsx";

  export { ${JUDGES[major] ?? "asSchema, uiMessageChunkSchema"} } from "ai";

  export function mount(container, props, onUncaughtError) {
    const root = createRoot(container, { onUncaughtError });
    root.render(createElement(Page, props));
    return root;
  }
`;

/** Whoever imports the hooks, the store too, gets those of `major`; and `ai` is the one that they bring. */
function sdk(major) {
  return {
    name: "sdk",
    setup({ onResolve, resolve }) {
      const from = (resolveDir, path, { kind }) => resolve(path, { resolveDir, kind, pluginData: "resolved" });
      onResolve({ filter: /^@ai-sdk\/react$/ }, (wanted) =>
        wanted.pluginData === "resolved" ? null : from(FOLDER, HOOKS[major], wanted),
      );
      onResolve({ filter: /^ai$/ }, (wanted) =>
        wanted.resolveDir.includes("node_modules") ? null : from(`${FOLDER}/node_modules/${HOOKS[major]}`, "ai", wanted),
      );
    },
  };
}
