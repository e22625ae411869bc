import type { Page } from "@playwright/test"
import { expect, make, test } from "./fixtures"

/** Loses requests to a path, one or all, while everything else answers. */
async function lose(page: Page, path: string, times?: number) {
  await page.route(
    (url) => url.pathname === path,
    (route) => route.abort(),
    times === undefined ? {} : { times },
  )
}

test("one lost request for the list of jobs", async ({ page, request }) => {
  await make(request, "text_to_text", { text: "Found again" })
  await lose(page, "/jobs", 1)
  await page.goto("jobs")
  await expect(page.getByText("The gateway did not answer, so the list of jobs cannot be shown yet.")).toBeVisible()
  await expect(page.getByRole("link", { name: "Found again" })).toBeVisible()
})

test("one lost request for a job", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "Found as well" })
  await lose(page, `/jobs/${job_id}`, 1)
  await page.goto(`jobs/${job_id}`)
  await expect(page.getByText("The gateway did not answer, so the job cannot be shown yet.")).toBeVisible()
  await expect(page.getByRole("heading", { name: "Found as well" })).toBeVisible()
})

test("one lost request for the pipelines", async ({ page }) => {
  await lose(page, "/pipelines", 1)
  await page.goto("")
  await expect(page.getByText("The gateway did not answer, so the form cannot be shown yet.")).toBeVisible()
  await expect(page.getByRole("button", { name: "Run" })).toBeVisible()
})

test("whoever does not want to wait tries again at once", async ({ page, request }) => {
  await make(request, "text_to_text", { text: "At once" })
  await page.clock.install()
  await lose(page, "/jobs")
  await page.goto("jobs")
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible()
  // From here on nothing happens by itself, once what was due until then is lost as well.
  const lost = page.waitForEvent("requestfailed", (asked) => new URL(asked.url()).pathname === "/jobs")
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 60_000)
  await lost
  await page.unrouteAll()
  await page.getByRole("button", { name: "Try again" }).click()
  await expect(async () => {
    await page.clock.runFor(20)
    await expect(page.getByRole("link", { name: "At once" })).toBeVisible({ timeout: 100 })
  }).toPass({ timeout: 5_000 })
})

test("what is shown but cannot be brought up to date says so", async ({ page, request }) => {
  await make(request, "text_to_text", { text: "Old news" })
  await page.clock.install()
  await page.goto("jobs")
  await expect(page.getByRole("link", { name: "Old news" })).toBeVisible()
  await lose(page, "/jobs")
  await page.clock.fastForward(13_000)
  await expect(page.getByRole("link", { name: "Old news" })).toBeVisible()
  await expect(page.getByText(/^This was known at .* and is not up to date/)).toBeVisible()
  await page.unrouteAll()
  await expect(page.getByText(/is not up to date/)).toBeHidden()
})
