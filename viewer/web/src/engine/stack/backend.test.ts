import { expect, test } from "vitest";
import { chooseBackend } from "./backend";

test("a real graphics card draws", () => {
  expect(chooseBackend({ webgl: true, renderer: "ANGLE (Intel, Mesa Intel(R) UHD Graphics 620, OpenGL 4.6)" })).toBe(
    "gpu",
  );
});

test.each([
  "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)",
  "llvmpipe (LLVM 15.0.6, 256 bits)",
  "Microsoft Basic Render Driver",
])("a software rasteriser does not: %s", (renderer) => {
  expect(chooseBackend({ webgl: true, renderer })).toBe("cpu");
});

test("without WebGL the CPU draws", () => {
  expect(chooseBackend({ webgl: false, renderer: "" })).toBe("cpu");
});

test("a wish is heard unless it cannot be done", () => {
  expect(chooseBackend({ webgl: true, renderer: "llvmpipe" }, "gpu")).toBe("gpu");
  expect(chooseBackend({ webgl: true, renderer: "Intel" }, "cpu")).toBe("cpu");
  expect(chooseBackend({ webgl: false, renderer: "" }, "gpu")).toBe("cpu");
});
