import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, openSync, closeSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const REPOSITORY = join(import.meta.dirname, "../..")
const SERVER = process.env.GENESIS_SERVER ?? join(REPOSITORY, ".venv/bin/genesis-server")
const START_MS = 60_000
const STOP_MS = 20_000

/** A gateway with its workers as a process of its own, on a free port, with fresh folders and the fake provider. */
export class Gateway {
  readonly url: string
  private readonly folder = mkdtempSync(join(tmpdir(), "genesis-page-"))
  private process: ChildProcess | null = null

  private constructor(
    private readonly port: number,
    private readonly settings: Readonly<Record<string, string>>,
  ) {
    this.url = `http://127.0.0.1:${port}`
  }

  /** Starts one; `settings` are environment variables on top of the usual ones. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Gateway> {
    const gateway = new Gateway(await freePort(), settings)
    await gateway.start()
    return gateway
  }

  /** Starts it, again on the same port and folders, and waits until all its workers answer. */
  async start(): Promise<void> {
    if (!existsSync(SERVER)) throw new Error(`There is no ${SERVER}: run \`make setup\` first.`)
    const log = openSync(this.log, "a")
    this.process = spawn(SERVER, ["up"], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.folder,
        GENESIS_PORT: String(this.port),
        GENESIS_FAKE_PROVIDER: "true",
        GENESIS_LOCAL_PROVIDER: "false",
        DB_PATH: join(this.folder, "jobs.db"),
        STORAGE_PATH: join(this.folder, "storage"),
        ...this.settings,
      },
      stdio: ["ignore", log, log],
    })
    closeSync(log)
    const deadline = Date.now() + START_MS
    while (!(await this.isReady())) {
      if (this.process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The gateway did not start:\n${readFileSync(this.log, "utf8").slice(-4000)}`)
      }
      await sleep(100)
    }
  }

  /** Ends it at once, without any chance to say goodbye. */
  async kill(): Promise<void> {
    await this.end("SIGKILL")
  }

  /** Has it hang: connections are taken, and nothing is answered. */
  pause(): void {
    this.process?.kill("SIGSTOP")
  }

  /** Has it go on after a pause. */
  resume(): void {
    this.process?.kill("SIGCONT")
  }

  /** Ends it and removes its folders. */
  async remove(): Promise<void> {
    await this.end("SIGTERM")
    rmSync(this.folder, { recursive: true, force: true })
  }

  private get log(): string {
    return join(this.folder, "server.log")
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/ready`)).ok
    } catch {
      return false
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process
    this.process = null
    if (child?.exitCode !== null) return
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    child.kill(signal)
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS)
    await gone
    clearTimeout(timer)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === "string") throw new Error("The system gave no port.")
  return address.port
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
