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

test("what is not available now is asked for again, when the answer says", async () => {
  const busy = new ProblemError({ ...refused.problem, status: 503 }, { retryAfterMs: 7_000 })
  const asked = vi.fn(() => Promise.resolve("here")).mockRejectedValueOnce(busy)
  const { client, query } = clientWith(asked)
  await vi.advanceTimersByTimeAsync(6_900)
  expect(query.getCurrentResult().failureReason).toBe(busy)
  expect(asked).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(200)
  expect(query.getCurrentResult().data).toBe("here")
  client.clear()
})

test("a command that was lost is forgotten when an outage is over, not while the gateway answers", async () => {
  const health = vi.fn(() => Promise.resolve("up"))
  const { client } = clientWith(() => Promise.resolve("here"), health)
  const lose = async () => {
    const mutation = client.getMutationCache().build(client, { mutationFn: () => Promise.reject(away) })
    await expect(mutation.execute(undefined)).rejects.toBe(away)
    await vi.advanceTimersByTimeAsync(1)
  }
  const known = () => client.getMutationCache().getAll().length
  await lose()
  expect(known()).toBe(1)
  health.mockRejectedValueOnce(away).mockRejectedValueOnce(away)
  await lose()
  expect(known()).toBe(2)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(known()).toBe(2)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(known()).toBe(0)
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
