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

const BUSY = {
  status: 503,
  headers: { "Retry-After": "1" },
  contentType: "application/problem+json",
  json: { code: "unavailable", status: 503, detail: "The database is busy.", hint: "Wait a little.", errors: [] },
}

test("what is briefly unavailable says why, and is asked for again", async ({ page, request }) => {
  await make(request, "text_to_text", { text: "Worth the wait" })
  await page.route(
    (url) => url.pathname === "/jobs",
    (route) => route.fulfill(BUSY),
    { times: 1 },
  )
  await page.goto("jobs")
  await expect(page.getByText("The database is busy.")).toBeVisible()
  await expect(page.getByText("Wait a little.")).toBeVisible()
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible()
  await expect(page.getByRole("link", { name: "Worth the wait" }).first()).toBeVisible()
})

test("why the newest jobs are not known is said where they would be, and they come by themselves", async ({
  page,
  request,
}) => {
  await make(request, "text_to_image", { text: "A late picture" })
  await page.route(
    (url) => url.pathname === "/jobs",
    (route) => route.fulfill(BUSY),
  )
  await page.goto("?p=image_to_image")
  await expect(page.getByRole("region", { name: "Recent" })).toContainText("The database is busy.")
  await expect(page.getByRole("group", { name: "Earlier images" })).toContainText("The database is busy.")
  await page.unrouteAll()
  await expect(page.getByRole("radio", { name: /A late picture/ }).first()).toBeVisible()
})

test("a page that something else answers for is said to be that", async ({ page }) => {
  await page.route(
    (url) => url.pathname === "/jobs",
    (route) => route.fulfill({ contentType: "text/html", body: "<title>Sign in</title>" }),
  )
  await page.goto("jobs")
  await expect(page.getByText(/The answer is not JSON/)).toBeVisible()
  await expect(page.getByText("The gateway does not answer.")).toBeHidden()
})

for (const [pipeline, what] of [
  ["text_to_image", "image"],
  ["text_to_speech", "recording"],
] as const) {
  test(`the file of one ${what} that is lost is fetched again by itself, and one that is missing is said to be`, async ({
    page,
    request,
  }) => {
    const { job_id, outputs } = await make(request, pipeline, { text: "File" })
    const path = outputs.image_url ?? outputs.audio_url ?? ""
    let answers = false
    await page.route(
      (url) => url.pathname === path,
      (route) => (answers ? route.continue() : route.abort()),
    )
    await page.goto(`jobs/${job_id}`)
    const output = page.getByRole("article", { name: /^Output/ })
    await expect(output).toContainText("The file could not be fetched.")
    await expect(output.getByRole("button", { name: "Try again" })).toBeVisible()
    answers = true
    if (what === "image") await expect(output.getByRole("img")).toHaveJSProperty("naturalWidth", 1024)
    else await expect(output.getByText("0:00 / 0:01")).toBeVisible()

    await page.unrouteAll()
    await page.route(
      (url) => url.pathname === path,
      (route) => route.fulfill({ status: 404 }),
    )
    await page.reload()
    await expect(output).toContainText("its file is missing or damaged")
    await page.unrouteAll()
    await output.getByRole("button", { name: "Try again" }).click()
    await expect(output.getByRole("button", { name: "Try again" })).toBeHidden()
  })
}

test("a file that is there but damaged is said to be, after a second look", async ({ page, request }) => {
  const { job_id, outputs } = await make(request, "text_to_image", { text: "Damaged" })
  await page.route(
    (url) => url.pathname === outputs.image_url,
    (route) => route.fulfill({ contentType: "image/png", body: "no picture" }),
  )
  await page.goto(`jobs/${job_id}`)
  await expect(page.getByText("The image cannot be shown: its file is missing or damaged.")).toBeVisible()
})
