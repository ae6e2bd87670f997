import { expect, test } from "vitest";
import { glassOf } from "./useGlassTitle";

test("a glass is called by what its maker said of it, in one line", () => {
  const told = { container: "K26-1 A2", specimens: ["Stomach"], stains: ["hematoxylin", "eosin"] };
  expect(glassOf(told, "40x", "40x")).toBe("K26-1 A2 · Stomach · hematoxylin · eosin");
});

test("without a stain the description of the series stands for it, once", () => {
  expect(glassOf({ container: "K26-1", specimens: [], stains: [] }, "HE", "HE")).toBe("K26-1 · HE");
  expect(glassOf({ container: "K26-1", specimens: [], stains: [] }, "K26-1", "K26-1")).toBe("K26-1");
});

test("without a container, as of a de-identified slide, the title of the series stands for it", () => {
  expect(glassOf({ container: "", specimens: [], stains: ["PAS"] }, "Slide 2", "")).toBe("Slide 2 · PAS");
  expect(glassOf({ container: "", specimens: [], stains: [] }, "A1 H&E", "A1 H&E")).toBe("A1 H&E");
});
