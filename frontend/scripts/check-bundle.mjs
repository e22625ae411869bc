// Fails when what a browser loads before the page can be used is larger than allowed: entry, its preloads, style sheets.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const DIST = fileURLToPath(new URL("../dist", import.meta.url))
const LIMITS_KIB = { js: 165, css: 15 }

let page
try {
    page = readFileSync(join(DIST, "index.html"), "utf8")
} catch {
    console.error("There is no dist/index.html: run `npm run build` first.")
    process.exit(1)
}
const initial = [...page.matchAll(/(?:src|href)="\/app\/([^"]+\.(js|css))"/g)]
const totals = { js: 0, css: 0 }
for (const [, file, kind] of initial) {
    const size = gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length / 1024
    totals[kind] += size
    console.log(`${size.toFixed(1).padStart(7)} KiB  ${file}`)
}
for (const [kind, limit] of Object.entries(LIMITS_KIB)) {
    const size = totals[kind]
    const good = size > 0 && size <= limit
    console.log(`Initial ${kind}: ${size.toFixed(1)} KiB gzip of at most ${limit} KiB: ${good ? "good" : "FAILED"}`)
    if (!good) process.exitCode = 1
}
