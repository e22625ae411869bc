import type { Locator, Page } from "@playwright/test"
import { expect } from "./fixtures"

/** Where an element lies in the window. */
export async function boxOf(locator: Locator) {
  const box = await locator.boundingBox()
  if (box === null) throw new Error(`Nothing is shown of ${String(locator)}.`)
  return { ...box, right: box.x + box.width, bottom: box.y + box.height }
}

/** All visible matches' boxes, from top to bottom. */
export async function boxesOf(locator: Locator) {
  await expect(locator.first()).toBeVisible()
  return Promise.all((await locator.all()).map(boxOf))
}

/**
 * Elements that reach out of the window sideways, and those with a border that their content crosses. What is cut off with
 * an ellipsis, what scrolls, and what only screen readers see are left out.
 */
export async function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const hides = ({ overflowX, textOverflow, clipPath }: CSSStyleDeclaration) =>
      overflowX === "auto" || overflowX === "scroll" || textOverflow === "ellipsis" || clipPath !== "none"
    const isWithin = (element: Element | null): boolean =>
      element !== null && (hides(getComputedStyle(element)) || isWithin(element.parentElement))
    const isCrossed = (element: Element) =>
      !element.matches("input, textarea, select") &&
      getComputedStyle(element).borderRightWidth !== "0px" &&
      element.scrollWidth > element.clientWidth
    const found = [...document.body.querySelectorAll("*")].filter((element) => {
      const { left, right, width: own } = element.getBoundingClientRect()
      if (own === 0 || !element.checkVisibility() || isWithin(element)) return false
      return left < -0.5 || right > width + 0.5 || isCrossed(element)
    })
    return found.map((element) => element.outerHTML.slice(0, 160))
  })
}
