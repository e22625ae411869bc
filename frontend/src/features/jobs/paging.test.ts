import { expect, test } from "vitest"
import type { Job } from "@/api/client"
import type { JobPage } from "@/features/jobs/paging"
import { grown, isSettled, nextCursor } from "@/features/jobs/paging"

/** A page of jobs by number, newest first; those with a question mark still run. */
function pageOf(jobs: string, next: string | null = null): JobPage {
  const made = jobs.split(" ").map((job) => ({
    job_id: job.replace("?", ""),
    status: job.endsWith("?") ? "running" : "completed",
  }))
  return { jobs: made as Job[], next }
}

test("the cursor of the next page", () => {
  expect(nextCursor('</jobs?limit=30&cursor=01a2>; rel="next"')).toBe("01a2")
  expect(nextCursor('</jobs?limit=30>; rel="prev", </jobs?cursor=b&limit=30>; rel=next')).toBe("b")
})

test.each([null, "", '</jobs?cursor=a>; rel="prev"', '</jobs?limit=30>; rel="next"'])("%j leads no further", (link) => {
  expect(nextCursor(link)).toBeNull()
})

test("a page is settled when all its jobs have ended", () => {
  expect(isSettled(pageOf("3 2 1"))).toBe(true)
  expect(isSettled(pageOf("3 2? 1"))).toBe(false)
})

test("new jobs join the first page, which keeps its end", () => {
  const known = pageOf("5? 4 3", "3")
  expect(grown(known, pageOf("7? 6 5", "5"))).toEqual(pageOf("7? 6 5 4 3", "3"))
  expect(grown(known, pageOf("5 4 3", "3"))).toEqual(pageOf("5 4 3", "3"))
})

test.each([
  ["more are new than fit on a page", "5 4 3", "9 8 7"],
  ["what it does not reach may change", "5 4 3?", "7 6 5"],
])("the fresh page stands alone where %s", (_why, known, fresh) => {
  expect(grown(pageOf(known, "3"), pageOf(fresh, "x"))).toEqual(pageOf(fresh, "x"))
})
