import { expect, test } from "vitest";
import { addressOf, parseRoute, type Route } from "./route";

test.each<Route>([
  { screen: "worklist" },
  { screen: "reviews" },
  { screen: "zones" },
  { screen: "upload" },
  { screen: "shared" },
  { screen: "launch" },
  { screen: "display" },
  { screen: "reading", studyInstanceUid: "2.25.1", site: undefined },
  { screen: "reading", studyInstanceUid: "2.25.1", site: "MƯỜNG KHÊ&x" },
])("an address leads back to its screen: %o", (route) => {
  const url = new URL(addressOf(route), "https://node.example");

  expect(parseRoute(url.pathname, url.search)).toEqual(route);
});

test.each(["/", "/worklist"])("%s is the worklist", (pathname) => {
  expect(parseRoute(pathname, "")).toEqual({ screen: "worklist" });
});

test.each(["/study/", "/study/<script>", "/study/1.2/series/3", "/elsewhere", "/Upload", "/missing", "//"])(
  "%s is no screen's address",
  (pathname) => {
    expect(parseRoute(pathname, "")).toEqual({ screen: "missing" });
  },
);
