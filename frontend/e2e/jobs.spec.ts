import { expect, make, test } from "./fixtures"
import { Gateway } from "./gateway"

test("the list: page by page, narrowed to a pipeline, and empty", async ({ page, playwright }) => {
  const gateway = await Gateway.start()
  const request = await playwright.request.newContext({ baseURL: gateway.url })
  try {
    await page.clock.install()
    await page.goto(`${gateway.url}/app/jobs`)
    await expect(page.getByText("No jobs yet.")).toBeVisible()
    await make(request, "text_to_speech", { text: "The oldest" })
    for (let number = 1; number <= 34; number++) await make(request, "text_to_text", { text: `Note ${number}` })

    await page.reload()
    const rows = page.getByRole("row").filter({ has: page.getByRole("link") })
    await expect(rows).toHaveCount(30)
    await expect(rows.first()).toContainText("Note 34")
    await page.getByLabel("Pipeline").selectOption("Text to text")
    await page.getByLabel("Pipeline").selectOption("All")
    await page.getByRole("button", { name: "Load more" }).click()
    await expect(rows).toHaveCount(35)
    await expect(page.getByRole("button", { name: "Load more" })).toBeHidden()
    await expect(page.getByRole("button", { name: "These are all jobs" })).toBeFocused()

    const older: string[] = []
    page.on("request", (asked) => asked.url().includes("cursor=") && older.push(asked.url()))
    await make(request, "text_to_text", { text: "Note 35" })
    await page.clock.fastForward(13_000)
    await expect(rows.first()).toContainText("Note 35")
    await expect(rows).toHaveCount(36)
    expect(older).toEqual([])

    await page.getByLabel("Pipeline").selectOption("Text to speech")
    await expect(rows).toHaveCount(1)
    await expect(page).toHaveURL(/pipeline=text_to_speech/)
    await rows.getByRole("link").click()
    await expect(page.getByRole("heading", { level: 1, name: "The oldest" })).toBeVisible()
  } finally {
    await request.dispose()
    await gateway.remove()
  }
})

test("showing all pipelines again leaves the focus at the choice of the pipeline", async ({ page, request }) => {
  await make(request, "text_to_text", { text: "The only one" })
  await page.goto("jobs?pipeline=text_to_smell")
  await page.getByRole("button", { name: "Show all pipelines" }).click()
  await expect(page.getByRole("link", { name: "The only one" }).first()).toBeVisible()
  await expect(page.getByLabel("Pipeline")).toBeFocused()
})

test("the interface's documentation works, but in no frame of another page", async ({ page, context, gateway }) => {
  await page.goto(`${gateway.url}/docs`)
  await expect(page.getByText("/jobs/{job_id}/cancel").first()).toBeVisible()
  await page.goto(`${gateway.url}/redoc`)
  await expect(page.getByRole("heading", { level: 1, name: /^Genesis/ })).toBeVisible()
  // A page without the check that all others have: here the policy is meant to be broken.
  const foreign = await context.newPage()
  await foreign.setContent(`<iframe src="${gateway.url}/docs"></iframe>`)
  await expect.poll(() => foreign.frames()[1]?.url()).toMatch(/^chrome-error:/)
  await expect(foreign.frameLocator("iframe").getByText("/jobs/{job_id}/cancel")).toHaveCount(0)
})

test("a job that is made elsewhere appears among the recent ones when one looks again", async ({ page, request }) => {
  await page.goto("")
  await make(request, "text_to_text", { text: "From a terminal" })
  await page.getByRole("link", { name: "Jobs", exact: true }).click()
  await expect(page.getByRole("link", { name: "From a terminal" }).first()).toBeVisible()
})
