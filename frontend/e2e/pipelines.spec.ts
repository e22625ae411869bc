import type { Page } from "@playwright/test"
import { expect, make, test } from "./fixtures"

/** The job that the page ran last. */
function latest(page: Page) {
  return page.getByRole("region", { name: "Latest run" })
}

async function run(page: Page) {
  await page.getByRole("button", { name: "Run" }).click()
  await expect(latest(page).getByText("completed", { exact: true })).toBeVisible()
}

async function expectImage(page: Page, width: number, height: number) {
  const image = latest(page).getByRole("article", { name: "Output: image" }).getByRole("img")
  await expect(image).toHaveJSProperty("naturalWidth", width)
  await expect(image).toHaveJSProperty("naturalHeight", height)
}

test("text to text, with options, from the form to the job's page", async ({ page }) => {
  await page.goto("")
  await page.getByRole("link", { name: "text to text" }).click()
  await page.getByLabel("Text", { exact: true }).fill("Why is the sea salty?")
  await page.getByText("More options").click()
  await page.getByLabel("Temperature").fill("0.5")
  await page.getByLabel("Longest answer").fill("64")
  await page.getByLabel("Stop at").fill("END\nSTOP")
  await page.getByLabel("Extra settings").fill('{"top_k": 4}')
  await run(page)
  const answer = latest(page).getByText("fake: Why is the sea salty?")
  await expect(answer).toBeVisible()
  await page.reload()
  await expect(answer).toBeVisible()

  await latest(page).getByRole("link", { name: "Steps and details" }).click()
  await expect(page.getByRole("heading", { level: 1, name: "Why is the sea salty?" })).toBeVisible()
  await expect(page.getByText("fake:made-up")).toBeVisible()
  await expect(page.getByText('{"top_k":4}')).toBeVisible()
  await expect(page.getByText("END STOP")).toBeVisible()
  await expect(page).toHaveTitle("Why is the sea salty? (completed) · Genesis")
})

test("text to image, with style, ratio and quality", async ({ page }) => {
  await page.goto("?p=text_to_image")
  await page.getByLabel("Text", { exact: true }).fill("A lighthouse at dusk")
  await page.getByLabel("Style").fill("cinematic")
  await page.getByLabel("Aspect ratio").selectOption("16:9")
  await page.getByRole("radio", { name: "Draft" }).check()
  await page.getByLabel("Model").selectOption("fake:made-up")
  await run(page)
  const image = latest(page).getByRole("img")
  await expect
    .poll(() => image.evaluate((element: HTMLImageElement) => element.naturalWidth / element.naturalHeight))
    .toBeCloseTo(16 / 9, 1)
  const download = page.waitForEvent("download")
  await latest(page).getByRole("link", { name: "Download" }).click()
  expect((await download).suggestedFilename()).toMatch(/\.png$/)
})

test("text to speech, which can be listened to", async ({ page }) => {
  await page.goto("?p=text_to_speech")
  await page.getByLabel("Text", { exact: true }).fill("Welcome to the archive.")
  await page.getByLabel("Speed").fill("1.25")
  await run(page)
  const player = latest(page).getByRole("group", { name: /^Recording/ })
  await expect(player.getByText("0:00 / 0:01")).toBeVisible()
  await player.getByRole("button", { name: "Play" }).click()
  await expect(player.getByText("0:01 / 0:01")).toBeVisible()
  await expect(player.getByRole("button", { name: "Play" })).toBeVisible()
})

test("speech to text, from an earlier recording that is chosen in the form", async ({ page, request }) => {
  await make(request, "text_to_speech", { text: "The train to the coast" })
  await page.goto("?p=speech_to_text")
  await page
    .getByRole("radio", { name: /The train to the coast/ })
    .first()
    .check()
  await expect(page.getByLabel("Recording", { exact: true })).toHaveValue(/^\/storage\/audio\/.*\.wav$/)
  await expect(page.getByRole("group", { name: "Chosen recording" })).toBeVisible()
  await run(page)
  await expect(latest(page).getByText(/^fake: \d+ bytes of audio/)).toBeVisible()
})

test("speech to image, by the link at a recording", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_speech", { text: "A red fox in the snow" })
  await page.goto(`jobs/${job_id}`)
  await page.getByRole("link", { name: "speech to image" }).click()
  await expect(page.getByLabel("Recording", { exact: true })).toHaveValue(/^\/storage\/audio\//)
  await run(page)
  await expectImage(page, 1024, 1024)
  await expect(latest(page).getByText(/^fake: \d+ bytes of audio/)).toBeVisible()
  await latest(page).getByRole("link", { name: "Steps and details" }).click()
  for (const step of ["Transcribe", "Enhance", "Draw"])
    await expect(page.getByText(step, { exact: true })).toBeVisible()
})

test("image to image, from an earlier image", async ({ page, request }) => {
  await make(request, "text_to_image", { text: "A boat under the moon" })
  await page.goto("?p=image_to_image")
  await page
    .getByRole("radio", { name: /A boat under the moon/ })
    .first()
    .check()
  await page.getByLabel("Style").fill("watercolor")
  await page.getByLabel("Strength").fill("0.6")
  await run(page)
  await expectImage(page, 512, 512)
})

test("a job can be run again with what it was asked", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_image", { text: "Harbor" }, { style: "oil", seed: 7 })
  await page.goto(`jobs/${job_id}`)
  await page.getByRole("link", { name: "Edit and run again" }).click()
  await expect(page.getByLabel("Text", { exact: true })).toHaveValue("Harbor")
  await expect(page.getByLabel("Style")).toHaveValue("oil")
  await expect(page.getByLabel("Seed")).toHaveValue("7")
})

test("what is typed survives the change of the pipeline", async ({ page }) => {
  await page.goto("?p=text_to_image")
  await page.getByLabel("Text", { exact: true }).fill("A quiet harbor")
  await page.getByLabel("Style").fill("ink")
  await page.getByRole("link", { name: "text to speech" }).click()
  await expect(page.getByLabel("Speed")).toBeVisible()
  await expect(page.getByLabel("Text", { exact: true })).toHaveValue("A quiet harbor")
  await page.getByRole("link", { name: "text to image" }).click()
  await expect(page.getByLabel("Style")).toHaveValue("ink")
})
