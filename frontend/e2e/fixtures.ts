import type { APIRequestContext } from "@playwright/test"
import { test as base, expect } from "@playwright/test"
import { Gateway } from "./gateway"

/** Tests with a gateway of their worker's own; one fails if its page throws or breaks the content security policy. */
export const test = base.extend<object, { gateway: Gateway }>({
  gateway: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the parameters to know what a fixture needs
    async ({}, use) => {
      const gateway = await Gateway.start()
      await use(gateway)
      await gateway.remove()
    },
    { scope: "worker", timeout: 90_000 },
  ],
  baseURL: async ({ gateway }, use) => use(`${gateway.url}/app/`),
  page: async ({ page }, use) => {
    const broken: string[] = []
    page.on("pageerror", (error) => broken.push(error.message))
    page.on("console", (message) => {
      if (message.type() === "error" && message.text().includes("Content Security Policy")) broken.push(message.text())
    })
    await use(page)
    expect(broken).toEqual([])
  },
})

export { expect }

interface Made {
  job_id: string
  status: string
  outputs: Record<string, string | null>
}

/** Has a job done by the API, without the page. */
export async function make(
  request: APIRequestContext,
  pipeline: string,
  inputs: Record<string, string>,
  options: Record<string, unknown> = {},
): Promise<Made> {
  const created = await request.post("/jobs", { data: { pipeline, inputs, options } })
  expect(created.status()).toBe(201)
  const { job_id } = (await created.json()) as Made
  let job: Made | undefined
  await expect
    .poll(async () => {
      job = (await (await request.get(`/jobs/${job_id}`)).json()) as Made
      return ["completed", "failed", "canceled"].includes(job.status)
    })
    .toBe(true)
  if (job === undefined) throw new Error("never polled")
  return job
}
