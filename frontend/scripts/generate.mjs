// Writes openapi.json from the gateway's code and src/api/schema.d.ts from that; with --check, fails if either is stale.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import openapiTS, { astToString } from "openapi-typescript"

const FRONTEND = fileURLToPath(new URL("..", import.meta.url))
const PYTHON = process.env.PYTHON ?? join(FRONTEND, "../.venv/bin/python")
const HEADER = "/** Types of the API, generated from openapi.json by `npm run generate`. */\n\n"

function documentOfGateway() {
    const folder = mkdtempSync(join(tmpdir(), "openapi-"))
    try {
        const file = join(folder, "openapi.json")
        execFileSync(PYTHON, ["tools/openapi.py", file], { cwd: join(FRONTEND, ".."), stdio: "inherit" })
        return readFileSync(file, "utf8")
    } finally {
        rmSync(folder, { recursive: true })
    }
}

const document = documentOfGateway()
const files = {
    "openapi.json": document,
    "src/api/schema.d.ts": HEADER + astToString(await openapiTS(document, { alphabetize: true })),
}

if (process.argv.includes("--check")) {
    const stale = Object.keys(files).filter((name) => read(name) !== files[name])
    for (const name of stale) console.error(`frontend/${name} is stale: run \`npm run generate\` in frontend/.`)
    process.exitCode = stale.length > 0 ? 1 : 0
} else {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(FRONTEND, name), content)
}

function read(name) {
    try {
        return readFileSync(join(FRONTEND, name), "utf8")
    } catch (error) {
        if (error.code === "ENOENT") return null
        throw error
    }
}
