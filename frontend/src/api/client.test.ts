import { afterEach, expect, test, vi } from "vitest"
import { send } from "@/api/client"
import { GatewayAway } from "@/api/errors"
import { hasFile } from "@/api/files"

const URL = "http://gateway/jobs"

/** A network that behaves like this; what is sent over it can be looked at. */
function network(fetch: (request: Request, init: RequestInit) => Promise<Response>) {
  const mock = vi.fn(fetch)
  vi.stubGlobal("fetch", mock)
  return mock
}

/** A gateway that has taken the request and says nothing. */
const hangs = (_request: Request, { signal }: RequestInit) =>
  new Promise<Response>((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error))
  })

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

test("an answer comes with its status, headers and body", async () => {
  network(() => Promise.resolve(new Response('{"a": 1}', { status: 422, headers: { Link: "<x>" } })))
  const response = await send(new Request(URL))
  expect([response.status, response.headers.get("Link"), await response.json()]).toEqual([422, "<x>", { a: 1 }])
})

test("an answer may be empty", async () => {
  network(() => Promise.resolve(new Response(null, { status: 204 })))
  expect((await send(new Request(URL))).status).toBe(204)
})

test.each([
  ["http://gateway/jobs", 10_000],
  ["http://gateway/health", 5_000],
])("a gateway that takes %s and says nothing counts as away after %i ms", async (url, limit) => {
  network(hangs)
  const timer = new AbortController()
  const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(timer.signal)
  const answer = send(new Request(url))
  timer.abort(new DOMException("timed out", "TimeoutError"))
  await expect(answer).rejects.toThrow(GatewayAway)
  expect(timeout).toHaveBeenCalledExactlyOnceWith(limit)
})

test("no network, and an answer that breaks off, mean that the gateway is away", async () => {
  network(() => Promise.reject(new TypeError("Failed to fetch")))
  await expect(send(new Request(URL))).rejects.toThrow(GatewayAway)
  const broken = new ReadableStream({ pull: (stream) => stream.error(new TypeError("network error")) })
  network(() => Promise.resolve(new Response(broken)))
  await expect(send(new Request(URL))).rejects.toThrow(GatewayAway)
})

test("who gives up does not mean that the gateway is away", async () => {
  network(hangs)
  const asking = new AbortController()
  const answer = send(new Request(URL, { signal: asking.signal }))
  asking.abort()
  await expect(answer).rejects.toMatchObject({ name: "AbortError" })
})

test.each([
  [200, true],
  [404, false],
  [415, false],
])("a file that is answered for with %i", async (status, there) => {
  const fetch = network(() => Promise.resolve(new Response(null, { status })))
  await expect(hasFile("http://gateway/storage/a.png", new AbortController().signal)).resolves.toBe(there)
  expect(fetch.mock.calls[0]?.[0].method).toBe("HEAD")
})

test.each([500, 503])(
  "of a file it is not known whether it is there while that is answered with %i",
  async (status) => {
    network(() => Promise.resolve(new Response(null, { status })))
    const asked = hasFile("http://gateway/storage/a.png", new AbortController().signal)
    await expect(asked).rejects.toThrow(GatewayAway)
  },
)
