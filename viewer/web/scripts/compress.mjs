// Writes .br and .gz beside each file of the build that becomes smaller by it; the node serves them as they are.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("../../static/", import.meta.url));
const COMPRESSIBLE = /\.(html|js|mjs|css|svg|json|wasm|map|txt)$/;
const BYTES_MIN = 1024;
/** A larger share saved is worth a file. */
const WORTH = 0.95;

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && COMPRESSIBLE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size >= BYTES_MIN);
}

function write(path, bytes, before) {
  if (bytes.length < before * WORTH) writeFileSync(path, bytes);
}

let before = 0;
let after = 0;
for (const path of files(ROOT)) {
  const bytes = readFileSync(path);
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  write(`${path}.br`, brotli, bytes.length);
  write(`${path}.gz`, gzipSync(bytes, { level: 9 }), bytes.length);
  before += bytes.length;
  after += brotli.length;
}
process.stdout.write(`compressed ${(before / 1e6).toFixed(1)} MB to ${(after / 1e6).toFixed(1)} MB (brotli)\n`);
