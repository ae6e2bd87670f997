import { expect, test } from "vitest";
import { passwordFault } from "./passwordRule";

test("a new password is long enough, new, and typed twice alike", () => {
  expect(passwordFault("once-only-one", "một-mật-khẩu-dài", "một-mật-khẩu-dài")).toBeUndefined();
  expect(passwordFault("once-only-one", "ngắn", "ngắn")).toBe("tooShort");
  expect(passwordFault("once-only-one", "once-only-one", "once-only-one")).toBe("same");
  expect(passwordFault("once-only-one", "một-mật-khẩu-dài", "một-mật-khẩu-dai")).toBe("different");
});

test("letters with accents count as one", () => {
  expect(passwordFault("", "ếếếếếếếếếếế", "ếếếếếếếếếếế")).toBe("tooShort");
});
