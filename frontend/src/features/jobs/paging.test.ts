import { expect, test } from "vitest"
import { nextCursor } from "@/features/jobs/paging"

test("the cursor of the next page", () => {
  expect(nextCursor('</jobs?limit=30&cursor=01a2>; rel="next"')).toBe("01a2")
  expect(nextCursor('</jobs?limit=30>; rel="prev", </jobs?cursor=b&limit=30>; rel=next')).toBe("b")
})

test.each([null, "", '</jobs?cursor=a>; rel="prev"', '</jobs?limit=30>; rel="next"'])("%j leads no further", (link) => {
  expect(nextCursor(link)).toBeNull()
})
