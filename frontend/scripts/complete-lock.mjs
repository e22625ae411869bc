// Completes package-lock.json after `npm install --package-lock-only`: npm leaves out builds for other platforms that a
// registry does not carry, and `npm ci` then refuses the file. Entered with their platform they are skipped where it does not fit.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const FILE = fileURLToPath(new URL("../package-lock.json", import.meta.url))
const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"]
const PROCESSORS = ["arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "wasm32", "x64"]

const lock = JSON.parse(readFileSync(FILE, "utf8"))
for (const { dev, optionalDependencies = {} } of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
        const path = `node_modules/${name}`
        if (Object.keys(lock.packages).some((known) => known.endsWith(path))) continue
        const words = name.split("/").at(-1).split("-")
        const os = SYSTEMS.filter((system) => words.includes(system))
        const cpu = PROCESSORS.filter((processor) => words.includes(processor))
        if (cpu.length !== 1)
            throw new Error(`${name} is missing from package-lock.json, and its name tells no platform.`)
        lock.packages[path] = { version, cpu, ...(dev && { dev }), optional: true, ...(os.length > 0 && { os }) }
    }
}
const names = Object.keys(lock.packages).sort((one, other) => (one < other ? -1 : 1))
lock.packages = Object.fromEntries(names.map((name) => [name, lock.packages[name]]))
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
