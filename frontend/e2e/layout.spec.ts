import type { Page } from "@playwright/test"
import { expect, make, test } from "./fixtures"
import { Gateway } from "./gateway"
import { boxOf, boxesOf, misfits } from "./geometry"

const PHONE = { width: 390, height: 844 }
const PIPELINES = ["text_to_text", "text_to_image", "speech_to_text", "image_to_image"]

/** The controls of a form's options, by label. */
function option(page: Page, label: string) {
  return page.getByLabel(label, { exact: true })
}

test("nothing reaches out of the window on very narrow screens", async ({ page, request }) => {
  const words = "A sentence that is longer than any narrow screen is wide. "
  const speech = await make(request, "text_to_speech", { text: words })
  const image = await make(request, "speech_to_image", { audio_url: speech.outputs.audio_url ?? "" })
  const text = await make(request, "text_to_text", { text: `${words.repeat(20)}${"x".repeat(300)}` })
  const failed = await make(request, "speech_to_text", { audio_url: "/storage/audio/missing.wav" })
  await page.setViewportSize({ width: 320, height: 700 })
  for (const pipeline of PIPELINES) {
    await page.goto(`?p=${pipeline}&run=${image.job_id}`)
    await page.getByText("More options").click()
    await expect(page.getByText("completed").first()).toBeVisible()
    expect.soft(await misfits(page), pipeline).toEqual([])
  }
  for (const job of [speech, image, text, failed]) {
    await page.goto(`jobs/${job.job_id}`)
    await expect(page.getByRole("heading", { name: "Steps" })).toBeVisible()
    expect.soft(await misfits(page), `a job of ${Object.keys(job.outputs).join()}`).toEqual([])
  }
  await page.goto("jobs")
  await expect(page.getByRole("link", { name: words.trim() }).first()).toBeVisible()
  expect.soft(await misfits(page), "jobs").toEqual([])
  await page.goto("nowhere")
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible()
  expect.soft(await misfits(page), "an unknown page").toEqual([])
})

test("the interface's documentation can be reached from every screen", async ({ page }) => {
  for (const width of [320, 390, 820, 1440]) {
    await page.setViewportSize({ width, height: 800 })
    await page.goto("nowhere")
    await expect(page.getByRole("link", { name: /^API/ })).toBeVisible()
  }
})

test("titles can be read in the list of jobs on a tablet", async ({ page, request }) => {
  const title = "A lighthouse on a cliff at dusk"
  await make(request, "text_to_image", { text: title })
  for (const width of [820, 1024, 1440]) {
    await page.setViewportSize({ width, height: 1000 })
    await page.goto("jobs")
    const link = page.getByRole("link", { name: title }).first()
    await expect(link).toBeVisible()
    expect.soft(await link.evaluate((element) => element.scrollWidth <= element.clientWidth), `${width}`).toBe(true)
  }
})

test("the words of a row of the list stand on one line", async ({ page, request }) => {
  await make(request, "text_to_text", { text: "Level" })
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto("jobs")
  const row = page.getByRole("row").filter({ hasText: "Level" }).first()
  const middles = (await boxesOf(row.locator("td > *"))).map(({ y, height }) => y + height / 2)
  expect(Math.max(...middles) - Math.min(...middles)).toBeLessThan(1)
})

test("the hint at Run stays on its line", async ({ page }) => {
  await page.setViewportSize({ width: 820, height: 1000 })
  await page.goto("?p=text_to_image")
  expect((await boxOf(page.getByText("Ctrl ⏎"))).height).toBeLessThan(20)
})

test("labels and controls stand in line whatever their hints say", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto("?p=text_to_text")
  await page.getByText("More options").click()
  for (const row of [
    ["Model", "Instructions", "Seed"],
    ["Temperature", "Top p", "Longest answer"],
  ]) {
    const labels = await Promise.all(row.map(async (name) => boxOf(page.locator("label", { hasText: name }).first())))
    expect(new Set(labels.map(({ y }) => y)).size, row.join()).toBe(1)
  }
  const controls = await Promise.all(["Model", "Instructions", "Seed"].map(async (name) => boxOf(option(page, name))))
  expect(new Set(controls.map(({ y, bottom }) => `${y} ${bottom}`)).size).toBe(1)
  const rail = page.getByRole("banner").locator("a svg:visible")
  expect(new Set((await boxesOf(rail)).map(({ x }) => x)).size).toBe(1)
})

test("what wraps begins where its first line does", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "Wrap" })
  await page.setViewportSize(PHONE)
  await page.goto("?p=text_to_image")
  const examples = await boxesOf(page.getByRole("button", { name: /^A / }))
  expect(new Set(examples.map(({ x }) => x)).size).toBe(1)
  expect((await boxOf(page.getByText("Try", { exact: true }))).right).toBeLessThanOrEqual(examples[0]?.x ?? 0)
  await page.setViewportSize({ width: 320, height: 700 })
  await page.goto(`jobs/${job_id}`)
  const links = await boxesOf(page.getByRole("navigation", { name: "Use this text" }).getByRole("link"))
  expect(new Set(links.map(({ x }) => x)).size).toBe(1)
})

test("the button that copies the job's id stands beside it", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "Copy" })
  for (const width of [320, 820, 1440]) {
    await page.setViewportSize({ width, height: 900 })
    await page.goto(`jobs/${job_id}`)
    // Measured again until nothing moves any more: the page fills from above.
    await expect(async () => {
      const id = await boxOf(page.getByText(job_id, { exact: true }))
      const button = await boxOf(page.getByRole("button", { name: "Copy job id" }))
      expect(button.x, `${width}`).toBeGreaterThanOrEqual(id.right)
      expect(button.y, `${width}`).toBeLessThan(id.bottom)
    }).toPass()
  }
})

test("a glimpse of a text shows whole lines", async ({ page, request }) => {
  const text = "A text of many lines. ".repeat(30)
  await make(request, "text_to_text", { text })
  for (const width of [320, 390, 820, 1440]) {
    await page.setViewportSize({ width, height: 900 })
    await page.goto("?p=text_to_text")
    const frame = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: text.trim() }) })
    const glimpse = frame.first().getByText(/^fake: A text/)
    await expect(glimpse).toBeVisible()
    const lines = await glimpse.evaluate((element) => {
      const range = document.createRange()
      range.selectNodeContents(element)
      const { bottom } = element.getBoundingClientRect()
      return [...range.getClientRects()].filter((line) => line.top < bottom - 1 && line.bottom > bottom + 1).length
    })
    expect.soft(lines, `${width}`).toBe(0)
  }
})

test("the bar with Run sticks to the lower edge of phones, but not where it would cover the form", async ({ page }) => {
  const run = page.getByRole("button", { name: "Run" })
  await page.setViewportSize(PHONE)
  await page.goto("?p=text_to_image")
  await expect(run).toBeInViewport({ ratio: 1 })
  await page.setViewportSize({ width: 640, height: 360 })
  await expect(run).not.toBeInViewport()
})

test("a page that is opened by its address begins at its top", async ({ page, request }) => {
  for (let number = 1; number <= 12; number++) await make(request, "text_to_text", { text: `Row ${number}` })
  await page.setViewportSize({ width: 640, height: 360 })
  await page.goto("?p=text_to_image")
  await page.getByRole("heading", { name: "Recent" }).scrollIntoViewIfNeeded()
  await page.goto("jobs")
  await expect(page.getByRole("link", { name: "Row 12" })).toBeVisible()
  await page.waitForLoadState("networkidle")
  await expect(page.getByRole("heading", { level: 1 })).toBeInViewport()
})

test("a long input is shown in part until all of it is asked for", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "Line after line. ".repeat(60) })
  await page.goto(`jobs/${job_id}`)
  const input = page.getByRole("definition").filter({ hasText: "Line after line." })
  const before = await boxOf(input)
  await input.getByRole("button", { name: "Show all" }).click()
  expect((await boxOf(input)).height).toBeGreaterThan(before.height * 2)
  await input.getByRole("button", { name: "Show less" }).click()
  expect((await boxOf(input)).height).toBe(before.height)
})

test("a file that cannot be shown is named", async ({ page, request }) => {
  const path = "/storage/audio/missing.wav"
  const { job_id } = await make(request, "speech_to_text", { audio_url: path })
  await page.goto(`jobs/${job_id}`)
  await expect(page.getByRole("definition").getByRole("link", { name: path })).toBeVisible()
})

test("a scale on which nothing is chosen takes its middle too, and goes back without losing the focus", async ({
  page,
}) => {
  await page.goto("?p=text_to_speech")
  const speed = page.getByLabel("Speed")
  await expect(speed).toHaveAttribute("aria-valuetext", "Auto")
  await speed.click()
  await expect(speed).toHaveAttribute("aria-valuetext", "1.25")
  await page.getByRole("button", { name: "Back to auto" }).press("Enter")
  await expect(speed).toHaveAttribute("aria-valuetext", "Auto")
  await expect(speed).toBeFocused()
})

test("the focus stays where a job is run and canceled, and nothing is claimed to have been made", async ({ page }) => {
  const slow = await Gateway.start({ GENESIS_FAKE_DELAY_MS: "30000" })
  try {
    await page.goto(`${slow.url}/app/?p=text_to_text`)
    await page.getByLabel("Text", { exact: true }).fill("Take your time")
    const run = page.getByRole("button", { name: /Run|Sending/ })
    await run.press("Enter")
    const latest = page.getByRole("region", { name: "Latest run" })
    await expect(latest.getByText("running", { exact: true })).toBeVisible()
    await expect(run).toBeFocused()
    await latest.getByRole("button", { name: "Cancel job" }).press("Enter")
    await expect(latest.getByText("canceled", { exact: true })).toBeVisible()
    await expect(latest.getByRole("button", { name: "Canceled" })).toBeFocused()
    await expect(latest.getByText("Canceled before it made anything.")).toBeVisible()
    await latest.getByRole("link", { name: "Steps and details" }).click()
    await expect(page.getByRole("list", { name: "Attempts of generate" })).toContainText("canceled")
    await expect(page.getByText(/failed|skipped/)).toHaveCount(0)
  } finally {
    await slow.remove()
  }
})
