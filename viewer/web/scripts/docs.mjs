// The interface's description for people: Swagger UI from its package, without a script in the page, at /api/docs.

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const TARGET = fileURLToPath(new URL("../../static/docs/", import.meta.url));
const FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"];

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Viễn Ảnh: API</title>
    <link rel="icon" type="image/svg+xml" href="/mark.svg" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `// Shows the description that the node gives of itself.
SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
`;

mkdirSync(TARGET, { recursive: true });
for (const name of FILES) copyFileSync(join(SOURCE, name), join(TARGET, name));
writeFileSync(join(TARGET, "index.html"), PAGE);
writeFileSync(join(TARGET, "start.js"), START);
