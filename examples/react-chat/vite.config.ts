import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const { FONDATION_URL = "http://127.0.0.1:8000" } = loadEnv(mode, ".", "FONDATION_");
  const unreachable = {
    error: `Nothing answers at ${FONDATION_URL}. Start the agents as README.md says, or set FONDATION_URL.`,
  };
  return {
    plugins: [react()],
    server: {
      proxy: {
        "/api": {
          target: FONDATION_URL,
          changeOrigin: false, // the agents see the pages' own address as theirs: a request from elsewhere they refuse
          configure: (proxy) => {
            proxy.on("error", (_error, _request, response) => {
              if (!("writeHead" in response) || response.headersSent) return;
              response.writeHead(502, { "content-type": "application/json" }).end(JSON.stringify(unreachable));
            });
            // An answer that breaks off does so for the page too: the proxy alone would leave it waiting.
            proxy.on("proxyRes", (answer, _request, response) => answer.on("error", () => response.destroy()));
          },
        },
      },
    },
    define: { "process.env.DEBUG": "undefined" }, // @fondation-io/store reads it, and a browser has no process
  };
});
