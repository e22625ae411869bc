import { QueryClient, QueryObserver } from "@tanstack/react-query"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { GatewayAway, ProblemError } from "@/api/errors"
import { untilAnswered, watchForOutages } from "@/features/status/outage"
import { healthQuery } from "@/features/status/queries"

const away = new GatewayAway()
const refused = new ProblemError({
  type: "about:blank",
  title: "Refused",
  status: 404,
  code: "not-found",
  detail: "No.",
  hint: "",
  request_id: "",
  errors: [],
})

function clientWith(asked: () => Promise<string>, health: () => Promise<unknown> = () => Promise.resolve("up")) {
  const client = new QueryClient({ defaultOptions: { queries: untilAnswered } })
  watchForOutages(client)
  new QueryObserver(client, { queryKey: healthQuery.queryKey, queryFn: health }).subscribe(() => undefined)
  const query = new QueryObserver(client, { queryKey: ["asked"], queryFn: asked })
  query.subscribe(() => undefined)
  return { client, query }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test("what was lost is asked for again every two seconds, until it arrives", async () => {
  const asked = vi
    .fn(() => Promise.resolve("here"))
    .mockRejectedValueOnce(away)
    .mockRejectedValueOnce(away)
  const { client, query } = clientWith(asked)
  await vi.advanceTimersByTimeAsync(1)
  expect(query.getCurrentResult().failureReason).toBe(away)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(query.getCurrentResult().failureReason).toBe(away)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(query.getCurrentResult().data).toBe("here")
  expect(asked).toHaveBeenCalledTimes(3)
  client.clear()
})

test("a refusal is not asked for again", async () => {
  const asked = vi.fn(() => Promise.reject(refused))
  const { client, query } = clientWith(asked)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(query.getCurrentResult().error).toBe(refused)
  expect(asked).toHaveBeenCalledTimes(1)
  client.clear()
})

test("what is lost, asked for or sent, has the gateway's health looked at, which is not asked for twice at once", async () => {
  const health = vi.fn(() => Promise.resolve("up"))
  const { client } = clientWith(() => Promise.resolve("here"), health)
  await vi.advanceTimersByTimeAsync(1)
  expect(health).toHaveBeenCalledTimes(1)
  health.mockReturnValueOnce(new Promise(() => undefined))
  for (let sent = 0; sent < 2; sent++) {
    const mutation = client.getMutationCache().build(client, { mutationFn: () => Promise.reject(away) })
    await expect(mutation.execute(undefined)).rejects.toBe(away)
  }
  await vi.advanceTimersByTimeAsync(1)
  expect(health).toHaveBeenCalledTimes(2)
  client.clear()
})
