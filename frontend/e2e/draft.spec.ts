import type { Page } from "@playwright/test"
import { expect, make, test } from "./fixtures"

function text(page: Page) {
  return page.getByLabel("Text", { exact: true })
}

test("what is typed is kept when one leaves the form, reloads it, and runs it", async ({ page }) => {
  await page.goto("?p=text_to_speech")
  await text(page).fill("Mind the gap")
  await page.getByLabel("Speed").fill("1.5")
  await page.getByRole("link", { name: "Jobs", exact: true }).click()
  await page.getByRole("link", { name: "Create", exact: true }).click()
  await expect(page.getByRole("link", { name: "text to speech" })).toHaveAttribute("aria-current", "page")
  await expect(text(page)).toHaveValue("Mind the gap")
  await expect(page.getByLabel("Speed")).toHaveValue("1.5")
  await page.reload()
  await expect(text(page)).toHaveValue("Mind the gap")
  await expect(page.getByLabel("Speed")).toHaveValue("1.5")
  await page.getByRole("button", { name: "Run" }).click()
  await expect(page.getByRole("region", { name: "Latest run" })).toBeVisible()
  await expect(text(page)).toHaveValue("Mind the gap")
})

test("what is changed after the form was filled from a job is kept", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "First version" })
  await page.goto(`jobs/${job_id}`)
  await page.getByRole("link", { name: "Edit and run again" }).click()
  await expect(text(page)).toHaveValue("First version")
  await text(page).fill("Second version")
  await page.reload()
  await expect(text(page)).toHaveValue("Second version")
  await page.goBack()
  await expect(page.getByRole("heading", { level: 1, name: "First version" })).toBeVisible()
  await page.goForward()
  await expect(text(page)).toHaveValue("Second version")
})
