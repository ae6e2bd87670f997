import { expect, test } from "vitest";
import { failed } from "../../api/result";
import { Keeping, type Told } from "./keeping";

function keepingThatFails(kind: "offline" | "denied"): Keeping<Told> {
  return new Keeping<Told>({
    open: () => Promise.resolve(failed("missing", 404)),
    save: () => Promise.resolve(failed(kind)),
    onOpened: () => undefined,
    onSaved: () => undefined,
  });
}

test.each([
  ["offline", undefined],
  ["denied", "denied"],
] as const)("when the line is back, a saving that was %s says %s", async (kind, said) => {
  const keeping = keepingThatFails(kind);
  await keeping.save();
  expect(keeping.state.get().problem).toBe(kind);

  keeping.lineIsBack();

  expect(keeping.state.get().problem).toBe(said);
});
