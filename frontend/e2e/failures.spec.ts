import { expect, make, test } from "./fixtures"
import { Gateway } from "./gateway"

test("a job that fails says what happened and what to do", async ({ page }) => {
  await page.goto("?p=text_to_text")
  await page.getByLabel("Text", { exact: true }).fill("Not today [fail-final]")
  await page.getByRole("button", { name: "Run" }).click()
  const latest = page.getByRole("region", { name: "Latest run" })
  await expect(latest.getByText("failed", { exact: true })).toBeVisible()
  await expect(latest.getByText(/^The provider answered 400/)).toBeVisible()
  await expect(latest.getByText("Change the input or the options, or choose another model.")).toBeVisible()
  await latest.getByRole("link", { name: "Steps and details" }).click()
  await page.getByRole("link", { name: "Change and run again" }).click()
  await expect(page.getByLabel("Text", { exact: true })).toHaveValue("Not today [fail-final]")
})

test("each attempt of a step is shown", async ({ page, request }) => {
  const { job_id } = await make(request, "text_to_text", { text: "Busy [fail-safe]" })
  await page.goto(`jobs/${job_id}`)
  const attempts = page.getByRole("list", { name: "Attempts of generate" }).getByRole("listitem")
  await expect(attempts).toHaveCount(3)
  await expect(attempts.last()).toContainText("The provider answered 503")
})

test("an unknown job, and an address that can be none", async ({ page }) => {
  for (const id of ["01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55", "no-id"]) {
    await page.goto(`jobs/${id}`)
    await expect(page.getByText("There is no such job")).toBeVisible()
    await expect(page.getByText(`There is no job “${id}” on this server.`)).toBeVisible()
    await page.getByRole("link", { name: "See all jobs" }).click()
    await expect(page.getByRole("heading", { name: "Jobs" })).toBeVisible()
  }
})

test("what can be no job's id is asked for nowhere", async ({ page }) => {
  const asked: string[] = []
  page.on("request", (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith("/jobs/")) asked.push(pathname)
  })
  for (const address of ["jobs/x%2Fcancel", "?run=", "?run=.", "?from=", "?from=..", "?run=x/cancel"]) {
    await page.goto(address)
    await expect(page.getByText("There is no such job"), address).toBeVisible()
    await page.waitForLoadState("networkidle")
  }
  expect(asked).toEqual([])
})

test("a path without a file says so, and a good one after it is shown", async ({ page, request }) => {
  const { outputs: image } = await make(request, "text_to_image", { text: "Good" })
  const { outputs: speech } = await make(request, "text_to_speech", { text: "Good" })
  await page.goto("?p=image_to_image")
  await page.getByLabel("Image", { exact: true }).fill("/storage/images/none.png")
  await expect(page.getByText("There is no image at this path that can be shown.")).toBeVisible()
  await page.getByLabel("Image", { exact: true }).fill(image.image_url ?? "")
  await expect(page.getByRole("img", { name: "Chosen" })).toHaveJSProperty("naturalWidth", 1024)
  await page.getByRole("link", { name: "speech to text" }).click()
  await page.getByLabel("Recording", { exact: true }).fill("/storage/audio/none.wav")
  await expect(page.getByText(/cannot be played/)).toBeVisible()
  await page.getByLabel("Recording", { exact: true }).fill(speech.audio_url ?? "")
  await expect(page.getByRole("group", { name: "Chosen recording" })).toBeVisible()
})

test("files are offered from the newest jobs only, and the form says so", async ({ page }) => {
  const fresh = await Gateway.start()
  try {
    await page.goto(`${fresh.url}/app/?p=image_to_image`)
    await expect(page.getByText(/None of the newest jobs made one\./)).toBeVisible()
  } finally {
    await fresh.remove()
  }
})

test("an unknown page leads back", async ({ page }) => {
  await page.goto("nowhere/at/all")
  await expect(page.getByRole("heading", { name: "There is no page at this address" })).toBeVisible()
  await page.getByRole("link", { name: "Create something" }).click()
  await expect(page.getByRole("button", { name: "Run" })).toBeVisible()
})

test("what a field refuses stands at the field, and the focus goes there", async ({ page }) => {
  await page.goto("?p=text_to_text")
  const text = page.getByLabel("Text", { exact: true })
  await page.getByRole("button", { name: "Run" }).click()
  await expect(text).toBeFocused()
  await expect(text).toHaveAccessibleDescription(/Write something first/)
  await text.fill("x".repeat(32_001))
  await page.getByRole("button", { name: "Run" }).click()
  await expect(text).toHaveAccessibleDescription(/At most 32,000 characters; this has 32,001/)
  await text.fill("fine")
  await expect(text).toHaveAccessibleDescription("")
  await page.getByText("More options").click()
  await page.getByLabel("Longest answer").fill("0")
  await page.getByText(/^More options/).click()
  await page.getByRole("button", { name: "Run" }).click()
  await expect(page.getByLabel("Longest answer")).toBeFocused()
  await expect(page.getByLabel("Longest answer")).toHaveAccessibleDescription(/At least 1/)
})

test("what the gateway refuses stands at the field too, with what to do", async ({ page }) => {
  await page.goto("?p=image_to_image")
  const url = page.getByLabel("Image", { exact: true })
  await url.fill("http://127.0.0.1/secret.png")
  await page.getByRole("button", { name: "Run" }).click()
  await expect(url).toHaveAccessibleDescription(/The host 127.0.0.1 of the URL is not on the public internet/)
  await expect(url).toBeFocused()
  await expect(page.getByRole("alert")).toContainText("Give a URL that is public")
})

test("a file of the wrong kind is refused at its field", async ({ page, request }) => {
  const { outputs } = await make(request, "text_to_image", { text: "No recording" })
  await page.goto("?p=speech_to_text")
  const url = page.getByLabel("Recording", { exact: true })
  await url.fill(outputs.image_url ?? "")
  await page.getByRole("button", { name: "Run" }).click()
  await expect(url).toHaveAccessibleDescription(/The file is image\/png, but audio is wanted/)
  await expect(url).toBeFocused()
})

test("a file that is missing fails the job with what is wrong with it", async ({ page }) => {
  await page.goto("?p=speech_to_text")
  await page.getByLabel("Recording", { exact: true }).fill("/storage/audio/missing.wav")
  await page.getByRole("button", { name: "Run" }).click()
  const latest = page.getByRole("region", { name: "Latest run" })
  await expect(latest.getByText("failed", { exact: true })).toBeVisible()
  await expect(latest.getByText(/The store has no file .* it may have been deleted/).first()).toBeVisible()
})

test("a running job can be canceled", async ({ page }) => {
  const slow = await Gateway.start({ GENESIS_FAKE_DELAY_MS: "30000" })
  try {
    await page.goto(`${slow.url}/app/?p=text_to_text`)
    await page.getByLabel("Text", { exact: true }).fill("Take your time")
    await page.getByRole("button", { name: "Run" }).click()
    const latest = page.getByRole("region", { name: "Latest run" })
    await expect(latest.getByText("running", { exact: true })).toBeVisible()
    await latest.getByRole("button", { name: "Cancel job" }).click()
    await expect(latest.getByText("canceled", { exact: true })).toBeVisible()
    await expect(latest.getByRole("button", { name: "Cancel job" })).toBeHidden()
  } finally {
    await slow.remove()
  }
})

test("without a provider it says which setting is missing before anything is sent", async ({ page }) => {
  const bare = await Gateway.start({ GENESIS_FAKE_PROVIDER: "false" })
  try {
    await page.goto(`${bare.url}/app/?p=text_to_image`)
    await expect(page.getByText("huggingface: HUGGINGFACE_API_KEY is not set").first()).toBeVisible()
    await expect(page.getByText("No provider of “image” is set up, so this cannot run yet.")).toBeVisible()
    await expect(page.getByText(/jobs go on without it/)).toBeVisible()
    await expect(page.getByRole("button", { name: "Run" })).toBeDisabled()
  } finally {
    await bare.remove()
  }
})
