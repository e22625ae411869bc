import type { Page } from "@playwright/test"
import { expect, make, test } from "./fixtures"

/** The paths of the gateway that the page asks for from now on. */
function asked(page: Page): string[] {
  const paths: string[] = []
  page.on("request", (request) => {
    const { pathname } = new URL(request.url())
    if (!pathname.startsWith("/app/") && !pathname.startsWith("/storage/")) paths.push(pathname)
  })
  return paths
}

async function turn(page: Page, visibility: "hidden" | "visible") {
  await page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state })
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))
  }, visibility)
}

test("everything is asked for once", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "Once" })
  const create = asked(page)
  await page.goto("")
  await expect(page.getByRole("region", { name: "Recent" })).toBeVisible()
  expect(create.sort()).toEqual(["/health", "/jobs", "/pipelines", "/providers", "/ready"])
  await page.getByRole("link", { name: "text to text" }).click()
  await expect(page.getByLabel("System")).toBeVisible()
  expect(create).toHaveLength(5)

  for (const path of ["jobs", `jobs/${job_id}`]) {
    const paths = asked(page)
    await page.goto(path)
    await expect(page.getByText("Once", { exact: true }).first()).toBeVisible()
    await expect.poll(() => paths.filter((asked) => asked.startsWith("/jobs"))).toEqual([`/${path}`])
  }
  const again = asked(page)
  await page.getByRole("link", { name: "Create", exact: true }).click()
  await page.goBack()
  await expect(page.getByRole("heading", { name: "Once" })).toBeVisible()
  expect(again).not.toContain(`/jobs/${job_id}`)
})

test("a job that is made elsewhere appears by itself, and grows older by itself", async ({ page, request }) => {
  await make(request, "text_to_text", { text: "Before" })
  await page.clock.install()
  await page.goto("jobs")
  await expect(page.getByRole("link", { name: "Before" }).first()).toBeVisible()
  await make(request, "text_to_text", { text: "Since then" })
  await page.clock.fastForward(13_000)
  const row = page.getByRole("row").filter({ hasText: "Since then" })
  await expect(row).toContainText("just now")
  await page.clock.fastForward(120_000)
  await expect(row).toContainText("2 minutes ago")
})

test("a page that nobody sees asks for nothing until one looks again", async ({ page }) => {
  await page.clock.install()
  await page.goto("")
  await expect(page.getByRole("button", { name: "Run" })).toBeVisible()
  const paths = asked(page)
  await page.clock.fastForward(20_000)
  await expect.poll(() => new Set(paths)).toEqual(new Set(["/health", "/jobs", "/providers", "/ready"]))
  // What is still under way would be given up by the clock below, and asking after it is no polling.
  await page.waitForLoadState("networkidle")
  await turn(page, "hidden")
  paths.length = 0
  for (let round = 0; round < 4; round++) await page.clock.fastForward(20_000)
  expect(paths).toEqual([])
  await turn(page, "visible")
  await expect.poll(() => paths).toContain("/health")
})
