import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const { FONDATION_URL = "http://127.0.0.1:8000" } = loadEnv(mode, ".", "FONDATION_");
  return {
    plugins: [react()],
    // The agents answer at the pages' own address, and see it as theirs: a request from elsewhere they refuse.
    server: { proxy: { "/api": { target: FONDATION_URL, changeOrigin: false } } },
    define: { "process.env.DEBUG": "undefined" }, // @fondation-io/store reads it, and a browser has no process
  };
});
