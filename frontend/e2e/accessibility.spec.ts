import type { Page } from "@playwright/test"
import axe from "axe-core"
import { expect, make, test } from "./fixtures"
import { misfits } from "./geometry"

const TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
const PIPELINES = [
  "text_to_text",
  "text_to_image",
  "text_to_speech",
  "speech_to_text",
  "speech_to_image",
  "image_to_image",
]
const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
}

async function violations(page: Page): Promise<string[]> {
  // Evaluated by the browser's own debugger, which the page's content security policy does not concern.
  await page.evaluate(axe.source)
  return page.evaluate(async (tags) => {
    const { axe } = window as unknown as { axe: typeof import("axe-core") }
    const result = await axe.run({ runOnly: tags })
    return result.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`))
  }, TAGS)
}

async function expectSound(page: Page, name: string) {
  expect.soft(await violations(page), `axe on ${name}`).toEqual([])
  expect.soft(await misfits(page), `${name} reaches out of the window`).toEqual([])
}

for (const theme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`no barriers: ${theme}, ${size}`, async ({ page, request }) => {
      const speech = await make(request, "text_to_speech", { text: "Mind the step" })
      const audio_url = speech.outputs.audio_url ?? ""
      const image = await make(request, "speech_to_image", { audio_url }, { style: "cinematic" })
      const failed = await make(request, "text_to_text", { text: "No [fail-safe]" })
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" })

      for (const pipeline of PIPELINES) {
        await page.goto(`?p=${pipeline}`)
        await page.getByText("More options").click()
        await expectSound(page, pipeline)
      }
      await page.goto(`?p=text_to_image&run=${image.job_id}`)
      await expect(page.getByText("completed").first()).toBeVisible()
      await page.getByRole("button", { name: "Run" }).click()
      await expect(page.getByText("Write something first.")).toBeVisible()
      await expectSound(page, "a form with errors and a run")
      for (const job of [speech, image, failed]) {
        await page.goto(`jobs/${job.job_id}`)
        await expect(page.getByRole("heading", { name: "Steps" })).toBeVisible()
        await expectSound(page, `a ${job.status} job`)
      }
      await page.goto("jobs")
      await expect(page.getByRole("link", { name: "Mind the step" }).first()).toBeVisible()
      await expectSound(page, "jobs")
      await page.goto("jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55")
      await expect(page.getByText(/There is no job/)).toBeVisible()
      await expectSound(page, "an unknown job")
      await page.goto("nowhere")
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible()
      await expectSound(page, "an unknown page")
    })
  }
}

test("a job from the keyboard alone", async ({ page }) => {
  await page.goto("?p=text_to_text")
  await expect(page.getByRole("button", { name: "Run" })).toBeVisible()
  await page.keyboard.press("Tab")
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused()
  await page.keyboard.press("Enter")
  await expect(page.getByRole("main")).toBeFocused()
  for (let stop = 0; stop < 7; stop++) await page.keyboard.press("Tab")
  await expect(page.getByLabel("Text", { exact: true })).toBeFocused()
  await page.keyboard.type("By hand")
  await page.keyboard.press("Control+Enter")
  await expect(page.getByText("fake: By hand").first()).toBeVisible()
  await expect(page.getByText(/^Job completed in/)).toBeAttached()
  await page.getByRole("link", { name: "Steps and details" }).press("Enter")
  await expect(page.getByRole("heading", { level: 1, name: "By hand" })).toBeVisible()
  await expect(page.getByRole("main")).toBeFocused()
})

test("the theme follows the system until one is chosen, which is remembered", async ({ page }) => {
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  await page.emulateMedia({ colorScheme: "light" })
  await page.goto("jobs")
  const light = await background()
  await page.emulateMedia({ colorScheme: "dark" })
  const dark = await background()
  expect(dark).not.toBe(light)
  await page.getByRole("radio", { name: "Light" }).check()
  expect(await background()).toBe(light)
  await page.reload()
  await expect(page.getByRole("radio", { name: "Light" })).toBeChecked()
  expect(await background()).toBe(light)
  await page.getByRole("radio", { name: "As the system" }).check()
  expect(await background()).toBe(dark)
})
