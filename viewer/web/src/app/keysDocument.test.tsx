// @vitest-environment happy-dom
// docs/keys.md is made of the tables of keys that are on screen: `npm run keys` makes it anew.

import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen, within } from "@testing-library/react";
import i18next from "i18next";
import { expect, test } from "vitest";
import { startWords } from "../i18n";
import { CHOOSE_KEY, LIST_KEY, SAVE_KEY } from "../reading/findings/FindingsOfRoom";
import { TAKE_KEY } from "../reading/shown/TakePicture";
import { MARK_TOOLS } from "../reading/slides/MarkTools";
import { POWERS } from "../reading/slides/powers";
import { MEASURE_KEYS } from "../reading/toolbar/MeasureMenu";
import { KeyHelp } from "../ui/KeyHelp";
import { KeyScope } from "../ui/keyScope";
import { KEY_ROOMS, type KeyRoom, keysOf } from "../ui/keyTable";

const DOCUMENT = resolve("../../docs/keys.md");
const HEAD = `# Keys

What the tables of keys say that \`?\` opens, where each key can be changed. Made by \`npm run keys\` in viewer/web.
`;
/** Large tables are rendered, which a busy machine takes its time for. */
const RENDER_MS = 60_000;

/** The rows of a table of keys as it is on screen, as rows of the document. */
async function rowsOf(room: KeyRoom): Promise<readonly string[]> {
  render(
    <MantineProvider>
      <KeyScope value={room}>
        <KeyHelp opened onClose={() => undefined} />
      </KeyScope>
    </MantineProvider>,
  );
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
    for (const room of KEY_ROOMS) {
      const found = await rowsOf(room);
      for (const row of found) rows.add(row);
      tables.push(
        ["", `## ${i18next.t(`keysRoom.${room}`)}`, "", "| key | what it does |", "|---|---|", ...found, ""].join("\n"),
      );
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

test("every tool that has a key has it in the table of its room", () => {
  const images = [...Object.keys(MEASURE_KEYS), LIST_KEY, CHOOSE_KEY, SAVE_KEY, TAKE_KEY];
  const slides = [...MARK_TOOLS.map(({ key }) => key.toLowerCase()), ...POWERS.map(({ key }) => key), TAKE_KEY];

  expect(images.filter((key) => !keysOf("images").includes(key))).toEqual([]);
  expect(slides.filter((key) => !keysOf("slides").includes(key))).toEqual([]);
  expect(keysOf("volumes")).toContain(TAKE_KEY);
});

test.each(KEY_ROOMS)("no key of %s is on two things until somebody puts it there", (room) => {
  const keys = keysOf(room);

  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
});
