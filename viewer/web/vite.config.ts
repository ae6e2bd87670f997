import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** A running node for `npm run dev`. */
const node = process.env["VIENANH_NODE"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: {
      // vtk.js' XML reader pulls in a builder that extends Node's EventEmitter, and the page dies at start.
      xmlbuilder2: here("./src/engine/stubs/xmlbuilder2.ts"),
    },
    dedupe: ["dcmjs"],
  },
  worker: { format: "es" },
  optimizeDeps: { exclude: ["@cornerstonejs/dicom-image-loader"], include: ["dicom-parser"] },
  server: { proxy: { "/api": node, "/dicom-web": node } },
  build: {
    target: "es2022",
    outDir: here("../static"),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      onLog: (level, log, handle) => {
        // The decoders' glue asks for Node's modules only when it runs in Node.
        if (!log.message.includes("has been externalized for browser compatibility")) handle(level, log);
      },
    },
  },
  // A test that waits is not in a hurry on a busy machine.
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"], testTimeout: 30_000 },
});
