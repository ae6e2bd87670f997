// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Session } from "../api/types";
import { startWords } from "../i18n";
import { SignIn } from "./SignIn";

const SESSION: Session = {
  name: "huong",
  display: "BS. Nguyễn Thị Hương",
  roles: ["reader"],
  csrf: "word",
  mustChange: false,
  rights: ["api:read"],
  study: null,
};

const entered = vi.fn();

/** The node answers every question like this. */
function theNodeAnswers(status: number, body: unknown, headers: Record<string, string> = {}): void {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify(body), { status, headers })));
}

function fillIn(name: string, password: string): void {
  fireEvent.change(screen.getByLabelText("Tên đăng nhập"), { target: { value: name } });
  fireEvent.change(screen.getByLabelText("Mật khẩu"), { target: { value: password } });
  fireEvent.click(screen.getByRole("button", { name: "Đăng nhập" }));
}

beforeEach(async () => {
  await startWords("vi");
  entered.mockReset();
  render(
    <MantineProvider>
      <SignIn nodeName="Bệnh viện Trung ương" expired={false} onSignedIn={entered} />
    </MantineProvider>,
  );
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the door", () => {
  test("opens to a right password", async () => {
    theNodeAnswers(200, SESSION);

    fillIn("huong", "một mật khẩu dài");

    await waitFor(() => expect(entered).toHaveBeenCalledWith(SESSION));
  });

  test("says that name or password is wrong, not which, and forgets the password", async () => {
    theNodeAnswers(401, {});

    fillIn("huong", "sai");

    expect((await screen.findByRole("alert")).textContent).toBe("Tên đăng nhập hoặc mật khẩu không đúng.");
    expect((screen.getByLabelText("Mật khẩu") as HTMLInputElement).value).toBe("");
    expect(entered).not.toHaveBeenCalled();
  });

  test("counts down while it is shut", async () => {
    theNodeAnswers(429, {}, { "Retry-After": "3" });
    vi.useFakeTimers({ shouldAdvanceTime: true });

    fillIn("huong", "sai");

    expect((await screen.findByRole("alert")).textContent).toContain("Chờ 3 giây");
    act(() => vi.advanceTimersByTime(1000));
    expect(screen.getByRole("alert").textContent).toContain("Chờ 2 giây");
    act(() => vi.advanceTimersByTime(2000));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test("asks for what is missing before it asks the node", () => {
    const fetch = vi.fn();
    vi.stubGlobal("fetch", fetch);

    fillIn("huong", "");

    expect(screen.getByText("Cần điền ô này.")).toBeDefined();
    expect(fetch).not.toHaveBeenCalled();
  });

  test("says when the line is cut", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));

    fillIn("huong", "một mật khẩu dài");

    expect((await screen.findByRole("alert")).textContent).toContain("Không tới được máy chủ");
  });
});
