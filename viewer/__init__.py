"""People's screens: `web/` is the reading room in TypeScript, `server/` its API."""
