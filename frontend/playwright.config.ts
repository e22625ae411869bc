import { existsSync } from "node:fs"
import { defineConfig } from "@playwright/test"
import { BROWSER_FLAGS, findBrowser } from "./e2e/browser"

if (!existsSync(`${import.meta.dirname}/dist/index.html`)) {
  throw new Error("The tests run against the built page: run `npm run build` in frontend/ first.")
}

export default defineConfig({
  testDir: "e2e",
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  use: {
    browserName: "chromium",
    launchOptions: { executablePath: await findBrowser(), args: BROWSER_FLAGS },
    screenshot: "only-on-failure",
  },
})
