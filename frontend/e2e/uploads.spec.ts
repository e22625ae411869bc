import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "./fixtures"

const SAMPLES = join(import.meta.dirname, "../../demo/samples")

test("a picture of one's own is uploaded and transformed", async ({ page }) => {
  await page.goto("?p=image_to_image")
  await page.getByLabel("File: Image").setInputFiles(join(SAMPLES, "cat.jpg"))
  await expect(page.getByRole("img", { name: "Chosen" })).toHaveJSProperty("naturalWidth", 451)
  await page.getByRole("button", { name: "Run" }).click()
  const latest = page.getByRole("region", { name: "Latest run" })
  await expect(latest.getByText("completed", { exact: true })).toBeVisible()
})

test("a recording that is dropped is transcribed", async ({ page }) => {
  await page.goto("?p=speech_to_text")
  const content = readFileSync(join(SAMPLES, "boat.wav")).toString("base64")
  const files = await page.evaluateHandle((encoded) => {
    const transfer = new DataTransfer()
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
    transfer.items.add(new File([bytes], "boat.wav", { type: "audio/wav" }))
    return transfer
  }, content)
  await page.getByText("or drop one here").dispatchEvent("drop", { dataTransfer: files })
  await expect(page.getByRole("textbox", { name: "Recording" })).toHaveValue(/^\/storage\/uploads\//)
  await page.getByRole("button", { name: "Run" }).click()
  const latest = page.getByRole("region", { name: "Latest run" })
  await expect(latest.getByText("completed", { exact: true })).toBeVisible()
})

test("what is no picture is refused in words, and another may be chosen", async ({ page }) => {
  await page.goto("?p=image_to_image")
  const chooser = page.getByLabel("File: Image")
  await chooser.setInputFiles({ name: "page.png", mimeType: "image/png", buffer: Buffer.from("<!doctype html><p>no") })
  await expect(page.getByText("text/html")).toBeVisible()
  await chooser.setInputFiles(join(SAMPLES, "cat.jpg"))
  await expect(page.getByRole("img", { name: "Chosen" })).toBeVisible()
  await expect(page.getByText("text/html")).toBeHidden()
})

test("an upload that is stopped leaves the form as it was", async ({ page }) => {
  await page.goto("?p=image_to_image")
  await page.route("**/files?*", () => undefined) // it never arrives
  await page.getByLabel("File: Image").setInputFiles(join(SAMPLES, "cat.jpg"))
  await page.getByRole("button", { name: "Stop" }).click()
  await expect(page.getByRole("button", { name: "Choose a file" })).toBeVisible()
  await expect(page.getByRole("textbox", { name: "Image" })).toHaveValue("")
})
