import type { Page } from "@playwright/test"
import { expect, make, test } from "./fixtures"

/** The bodies of the jobs that the page creates from now on. */
function created(page: Page): unknown[] {
  const bodies: unknown[] = []
  page.on("request", (request) => {
    if (request.method() === "POST" && new URL(request.url()).pathname === "/jobs") bodies.push(request.postDataJSON())
  })
  return bodies
}

async function fillIn(page: Page, words: string) {
  await page.goto("?p=text_to_text")
  await page.getByLabel("Text", { exact: true }).fill(words)
}

/** Has the answer to the next new job wait until the returned function is called. */
async function hold(page: Page): Promise<() => void> {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  await page.route(
    (url) => url.pathname === "/jobs",
    async (route) => {
      if (route.request().method() === "POST") await held
      await route.fallback()
    },
  )
  return () => release()
}

test("a double click and an impatient key make one job, a second run after it makes another", async ({ page }) => {
  await fillIn(page, "Once is enough")
  const bodies = created(page)
  await page.getByRole("button", { name: "Run" }).dblclick()
  // As soon as it is answered: what is pressed a second later is meant.
  await expect(page.getByRole("region", { name: "Latest run" })).toBeVisible()
  for (let press = 0; press < 3; press++) await page.keyboard.press("Control+Enter")
  expect(bodies).toHaveLength(1)
  await page.waitForTimeout(1_100)
  await page.getByRole("button", { name: "Run" }).click()
  await expect.poll(() => bodies.length).toBe(2)
})

test("a key that is held down makes one job", async ({ page }) => {
  await fillIn(page, "Held down")
  const bodies = created(page)
  await page.getByLabel("Text", { exact: true }).focus()
  await page.keyboard.down("Control")
  for (let repeat = 0; repeat < 3; repeat++) {
    await page.keyboard.down("Enter")
    await page.waitForTimeout(1_100)
  }
  await page.keyboard.up("Enter")
  await page.keyboard.up("Control")
  await page.getByRole("button", { name: "Run" }).focus()
  for (let repeat = 0; repeat < 3; repeat++) {
    await page.keyboard.down("Enter")
    await page.waitForTimeout(1_100)
  }
  await page.keyboard.up("Enter")
  expect(bodies).toHaveLength(2)
})

test("the outcome is shown although the pipeline was changed while the job was sent", async ({ page }) => {
  const release = await hold(page)
  await fillIn(page, "Meanwhile")
  await page.getByRole("button", { name: "Run" }).click()
  await expect(page.getByRole("button", { name: "Sending…" })).toBeVisible()
  const speech = page.getByRole("navigation", { name: "Pipelines" }).getByRole("link", { name: "text to speech" })
  await speech.click()
  await expect(page.getByRole("button", { name: "Sending…" })).toBeVisible()
  release()
  await expect(page.getByRole("region", { name: "Latest run" }).getByText("fake: Meanwhile")).toBeVisible()
  await expect(speech).toHaveAttribute("aria-current", "page")
})

test("a refusal is shown although the pipeline was changed, and gone with the next change", async ({ page }) => {
  const refusal = {
    status: 422,
    contentType: "application/problem+json",
    json: { code: "x", status: 422, detail: "inputs.text: no", hint: "", request_id: "", errors: [] },
  }
  await page.route(
    (url) => url.pathname === "/jobs",
    (route) => (route.request().method() === "POST" ? route.fulfill(refusal) : route.fallback()),
  )
  const release = await hold(page)
  await fillIn(page, "Meanwhile")
  await page.getByRole("button", { name: "Run" }).click()
  await page.getByRole("link", { name: "text to speech" }).click()
  release()
  const alert = page.getByRole("alert")
  await expect(alert).toContainText("inputs.text: no")
  await expect(alert).toContainText("your run of text to text")
  await page.getByLabel("Text", { exact: true }).fill("Something else")
  await expect(alert).toHaveText("")
})

test("an old refusal does not stand beside a new mistake", async ({ page }) => {
  await page.goto("?p=image_to_image")
  const url = page.getByLabel("Image", { exact: true })
  await url.fill("http://127.0.0.1/secret.png")
  await page.getByRole("button", { name: "Run" }).click()
  await expect(page.getByRole("alert")).toContainText("One field needs a change.")
  await url.fill("nonsense")
  await page.getByRole("button", { name: "Run" }).click()
  await expect(url).toHaveAccessibleDescription(/Write a URL that begins with/)
  await expect(page.getByRole("alert")).toHaveText("")
})

test("the focus stays in a field that is corrected while others are wrong", async ({ page }) => {
  await page.goto("?p=text_to_text")
  await page.getByText("More options").click()
  await page.getByLabel("Seed").fill("x")
  await page.getByRole("button", { name: "Run" }).click()
  await expect(page.getByLabel("Text", { exact: true })).toBeFocused()
  await page.getByLabel("Seed").press("End")
  await page.keyboard.press("Backspace")
  await expect(page.getByLabel("Seed")).toBeFocused()
})

test("a job that is run again is asked for the same", async ({ page, request }) => {
  const options = { stop: ["\n", "END", "a\nb"], system: " Be brief.\n" }
  const { job_id } = await make(request, "text_to_text", { text: "Same again" }, options)
  await page.goto(`jobs/${job_id}`)
  await page.getByRole("link", { name: "Edit and run again" }).click()
  await expect(page.getByLabel("Text", { exact: true })).toHaveValue("Same again")
  const bodies = created(page)
  await page.getByRole("button", { name: "Run" }).click()
  await expect.poll(() => bodies).toEqual([{ pipeline: "text_to_text", inputs: { text: "Same again" }, options }])
})

test("what is pasted is not cut, and what is too long is counted as the check counts", async ({ page }) => {
  await page.goto("?p=text_to_image")
  await page.getByLabel("Style").fill("x".repeat(201))
  await page.getByLabel("Text", { exact: true }).fill("😀".repeat(3_900))
  await expect(page.getByText("3,900 of 4,000 characters")).toBeVisible()
  await page.getByRole("button", { name: "Run" }).click()
  await expect(page.getByLabel("Style")).toHaveAccessibleDescription(/At most 200 characters; this has 201/)
})
