import { existsSync } from "node:fs"

/** Where distributions put their Chromium. */
const USUAL = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

/** A fresh profile, nothing fetched from elsewhere, and at home in containers. */
export const BROWSER_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/**
 * The Chromium to test with: `CHROMIUM_PATH`, the system's, or that of the development package.
 *
 * @throws Error when there is none; it says how to get one
 */
export async function findBrowser(): Promise<string> {
  const wanted = process.env.CHROMIUM_PATH
  if (wanted !== undefined && wanted !== "") {
    if (existsSync(wanted)) return wanted
    throw new Error(`CHROMIUM_PATH names ${wanted}, where there is no file: correct or unset it.`)
  }
  const found = USUAL.find((path) => existsSync(path))
  return found ?? (await packagedBrowser())
}

async function packagedBrowser(): Promise<string> {
  try {
    const { default: chromium } = await import("@sparticuz/chromium")
    return await chromium.executablePath()
  } catch (cause) {
    throw new Error(
      "The page's tests need Chromium. Install it (Debian, Ubuntu: apt-get install chromium), " +
        "or name one in CHROMIUM_PATH, or run npm ci, which brings one for x86-64 Linux.",
      { cause },
    )
  }
}
