// @vitest-environment happy-dom
// docs/keys.md is made of the tables of keys that are on screen: `npm run keys` makes it anew.

import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen, within } from "@testing-library/react";
import type { ComponentProps, JSX } from "react";
import { expect, test } from "vitest";
import { startWords } from "../i18n";
import { ReadingKeys } from "../reading/ReadingKeys";
import { SlideKeys } from "../reading/slides/SlideKeys";
import { MprKeys } from "../reading/volumes/MprKeys";
import { ReviewKeys } from "../review/ReviewKeys";

const DOCUMENT = resolve("../../docs/keys.md");
const HEAD = `# Keys

What the tables of keys say that \`?\` opens; those of images, reconstructions and slides are changed there. Made by
\`npm run keys\` in viewer/web.
`;
/** Four large tables are rendered, which a busy machine takes its time for. */
const RENDER_MS = 60_000;
const nothing = () => undefined;
/** A table of keys asks for no more while no key is pressed. */
const room = { helpOpened: true, onHelp: nothing, presets: [], series: [] };
const images = room as unknown as ComponentProps<typeof ReadingKeys>;
const volumes = room as unknown as ComponentProps<typeof MprKeys>;
const slides = { ...room, comparing: { slides: [] } } as unknown as ComponentProps<typeof SlideKeys>;

const ROOMS = [
  ["Images", <ReadingKeys key="images" {...images} />],
  ["Reconstructions (MPR)", <MprKeys key="volumes" {...volumes} />],
  ["Whole slides", <SlideKeys key="slides" {...slides} />],
  ["Text in pixels", <ReviewKeys key="review" opened onClose={nothing} />],
] as const;

/** The rows of a table of keys as it is on screen, as rows of the document. */
async function rowsOf(keys: JSX.Element): Promise<readonly string[]> {
  render(<MantineProvider>{keys}</MantineProvider>);
  const terms = within(await screen.findByRole("dialog")).getAllByRole("term");
  const rows = terms.map((term) => {
    const names = [...term.querySelectorAll("kbd")].map((key) => `\`${key.textContent}\``);
    return `| ${names.join(" ")} | ${term.nextElementSibling?.textContent ?? ""} |`;
  });
  cleanup();
  return rows;
}

test(
  "docs/keys.md says nothing of keys that their tables on screen do not say",
  async () => {
    await startWords("en");
    const tables: string[] = [];
    const rows = new Set<string>();
    for (const [title, keys] of ROOMS) {
      const found = await rowsOf(keys);
      for (const row of found) rows.add(row);
      tables.push(["", `## ${title}`, "", "| key | what it does |", "|---|---|", ...found, ""].join("\n"));
    }
    if (process.env["VIENANH_RENEW"]) writeFileSync(DOCUMENT, HEAD + tables.join(""));

    const told = readFileSync(DOCUMENT, "utf-8")
      .split("\n")
      .filter((line) => line.startsWith("| `"));

    expect(told.length).toBeGreaterThan(50);
    expect(
      told.filter((line) => !rows.has(line)),
      "run: npm run keys",
    ).toEqual([]);
  },
  RENDER_MS,
);
