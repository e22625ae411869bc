import type { Page } from "@playwright/test"
import { expect, make, test } from "./fixtures"

const UNKNOWN = "01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55"

function text(page: Page) {
  return page.getByLabel("Text", { exact: true })
}

test("a job that arrives late fills the form when it does", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "Better late" })
  await page.route(
    (url) => url.pathname === `/jobs/${job_id}`,
    (route) => route.abort(),
    { times: 1 },
  )
  await page.goto(`?p=text_to_text&from=${job_id}`)
  await expect(page.getByText(/the job that this form should start from cannot be shown yet/)).toBeVisible()
  await expect(text(page)).toHaveValue("Better late")
})

test("a job that is not there is said not to be, and what was typed stays", async ({ page }) => {
  await page.goto("?p=text_to_text")
  await text(page).fill("Typed before")
  await page.goto(`?p=text_to_text&from=${UNKNOWN}`)
  await expect(page.getByText("There is no such job")).toBeVisible()
  await expect(text(page)).toHaveValue("Typed before")
  await page.getByRole("link", { name: "text to speech" }).click()
  await expect(page.getByText("There is no such job")).toBeHidden()
})

test("an output that the job has not made is said to be missing", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "No picture" })
  await page.goto(`?p=image_to_image&from=${job_id}&use=image_url`)
  await expect(page.getByText("The job has not made the output that this form should start from.")).toBeVisible()
  await expect(page.getByLabel("Image", { exact: true })).toHaveValue("")
})

test("an output is taken without losing what was typed", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_image", { text: "A boat" })
  await page.goto("?p=text_to_text")
  await text(page).fill("Typed before")
  await page.goto(`?p=image_to_image&from=${job_id}&use=image_url`)
  await expect(page.getByLabel("Image", { exact: true })).toHaveValue(/^\/storage\/images\//)
  await page.getByRole("link", { name: "text to text" }).click()
  await expect(text(page)).toHaveValue("Typed before")
})

test("a pipeline that is not there is said not to be", async ({ page }) => {
  await page.goto("?p=text_to_smell")
  await expect(page.getByText("There is no pipeline “text_to_smell” here.")).toBeVisible()
  await page.getByRole("link", { name: "text to text" }).click()
  await expect(page.getByText(/There is no pipeline/)).toBeHidden()
})

test("going back leads to the pipeline that was chosen before", async ({ page }) => {
  await page.goto("jobs")
  await page.getByRole("link", { name: "Create", exact: true }).click()
  const speech = page.getByRole("link", { name: "text to speech" })
  await speech.click()
  await expect(speech).toHaveAttribute("aria-current", "page")
  await page.getByRole("link", { name: "text to text" }).click()
  await page.goBack()
  await expect(speech).toHaveAttribute("aria-current", "page")
  await page.goBack()
  await page.goBack()
  await expect(page.getByRole("heading", { name: "Jobs" })).toBeVisible()
})
