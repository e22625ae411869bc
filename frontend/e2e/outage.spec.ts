import type { Page } from "@playwright/test"
import { expect, test } from "./fixtures"
import { Gateway } from "./gateway"

function banner(page: Page) {
  return page.getByRole("status").getByText("The gateway does not answer.")
}

test("the gateway goes away and comes back: the page says so and recovers by itself", async ({ page }) => {
  const gateway = await Gateway.start()
  try {
    await page.goto(`${gateway.url}/app/?p=text_to_text`)
    await page.getByLabel("Text", { exact: true }).fill("Patience")
    await gateway.kill()
    await page.getByRole("button", { name: "Run" }).click()
    await expect(page.getByText(/it is not known whether it took the job/)).toBeVisible()
    // Sooner than the page would have asked by itself.
    await expect(banner(page)).toBeVisible({ timeout: 5_000 })
    await expect(page.getByLabel("Text", { exact: true })).toHaveValue("Patience")

    await page.getByRole("link", { name: "Jobs", exact: true }).click()
    await expect(page.getByText("The gateway did not answer, so the list of jobs cannot be shown yet.")).toBeVisible()
    await gateway.start()
    await expect(banner(page)).toBeHidden()
    await expect(page.getByText("No jobs yet.")).toBeVisible()

    await page.getByRole("link", { name: "Create", exact: true }).click()
    await expect(page.getByLabel("Text", { exact: true })).toHaveValue("Patience")
    await expect(page.getByRole("link", { name: "text to text" })).toHaveAttribute("aria-current", "page")
    await page.getByRole("button", { name: "Run" }).click()
    await expect(page.getByText("fake: Patience").first()).toBeVisible()
  } finally {
    await gateway.remove()
  }
})

test("a gateway that hangs is noticed, the form gets free again, and what is known is said to be old", async ({
  page,
}) => {
  const gateway = await Gateway.start()
  try {
    await page.goto(`${gateway.url}/app/?p=text_to_text`)
    await page.getByLabel("Text", { exact: true }).fill("Hanging")
    await page.getByRole("button", { name: "Run" }).click()
    await expect(page.getByText("fake: Hanging").first()).toBeVisible()
    await page.goto(`${gateway.url}/app/?p=text_to_text`)
    await expect(page.getByRole("region", { name: "Recent" })).toBeVisible()
    await page.getByLabel("Text", { exact: true }).fill("Hanging again")
    gateway.pause()
    await page.getByRole("button", { name: "Run" }).click()
    await expect(page.getByRole("button", { name: "Sending…" })).toBeVisible()
    const unknown = page.getByText(/it is not known whether it took the job/)
    await expect(unknown).toBeVisible()
    await expect(page.getByRole("button", { name: "Run" })).toBeEnabled()
    await expect(banner(page)).toBeVisible()
    await expect(page.getByText(/is not up to date/)).toBeVisible({ timeout: 30_000 })
    gateway.resume()
    await expect(banner(page)).toBeHidden()
    await expect(unknown).toBeHidden()
    await expect(page.getByText(/is not up to date/)).toBeHidden()
  } finally {
    gateway.resume()
    await gateway.remove()
  }
})

test("that a job could not be canceled is said until the gateway answers again", async ({ page }) => {
  const gateway = await Gateway.start({ GENESIS_FAKE_DELAY_MS: "30000" })
  try {
    await page.goto(`${gateway.url}/app/?p=text_to_text`)
    await page.getByLabel("Text", { exact: true }).fill("Never mind")
    await page.getByRole("button", { name: "Run" }).click()
    const cancel = page.getByRole("button", { name: "Cancel job" })
    await expect(cancel).toBeVisible()
    await gateway.kill()
    await cancel.click()
    const lost = page.getByText("The gateway did not answer. Try again.")
    await expect(lost).toBeVisible()
    await gateway.start()
    await expect(lost).toBeHidden()
    await cancel.click()
    await expect(page.getByText("canceled", { exact: true }).first()).toBeVisible()
  } finally {
    await gateway.remove()
  }
})

test("a job that is under way when the gateway dies goes on under one's eyes", async ({ page }) => {
  const gateway = await Gateway.start({ GENESIS_FAKE_DELAY_MS: "3000" })
  try {
    await page.goto(`${gateway.url}/app/?p=text_to_text`)
    await page.getByLabel("Text", { exact: true }).fill("Durable")
    await page.getByRole("button", { name: "Run" }).click()
    const latest = page.getByRole("region", { name: "Latest run" })
    await expect(latest.getByText("running", { exact: true })).toBeVisible()
    await gateway.kill()
    await expect(banner(page)).toBeVisible()
    await expect(latest.getByText("running", { exact: true })).toBeVisible()
    await expect(latest.getByText(/is not up to date/)).toBeVisible()
    const clock = latest.getByText(/^\d[\d.]* s$/)
    const stands = await clock.textContent()
    await page.waitForTimeout(1_000)
    expect(await clock.textContent()).toBe(stands)
    await gateway.start()
    await expect(banner(page)).toBeHidden()
    await expect(latest.getByText("fake: Durable")).toBeVisible({ timeout: 45_000 })
  } finally {
    await gateway.remove()
  }
})
