import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const SHEETS = "node_modules/@mantine/core/styles";

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const path = join(folder, one.name);
    return one.isDirectory() ? sources(path) : /\.tsx$/.test(one.name) ? [readFileSync(path, "utf8")] : [];
  });
}

it("has the style sheet of every part of Mantine that is used", () => {
  const used = sources("src").flatMap((text) =>
    [...text.matchAll(/import \{([^}]*)\} from "@mantine\/core"/g)].flatMap(([, names]) => names?.split(",") ?? []),
  );
  const parts = new Set(used.map((name) => name.replace(/^\s*type\s/, "").trim()).filter(Boolean));
  const imported = readFileSync("src/app/styles.css", "utf8");

  const lacking = [...parts].filter(
    (part) => existsSync(`${SHEETS}/${part}.css`) && !imported.includes(`styles/${part}.css`),
  );

  expect(parts.has("Button")).toBe(true);
  expect(existsSync(`${SHEETS}/Button.css`)).toBe(true);
  expect(lacking).toEqual([]);
});
