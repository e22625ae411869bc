import { errorOf, GatewayAway } from "@/api/errors"

/** The uploaded file, as far as the page uses it. */
export interface Uploaded {
  /** Its path below `/storage/`. */
  url: string
}

interface Progress {
  signal: AbortSignal
  /** Told how much has been sent, from 0 to 1. */
  onProgress: (sent: number) => void
}

/** An upload of which nothing moves for this long is given up. */
const STALLED_MS = 60_000

/**
 * Sends a file to the gateway.
 *
 * Unlike `fetch`, an XMLHttpRequest tells how much of the body has been sent.
 *
 * @throws ProblemError when the gateway refuses it
 * @throws GatewayAway when the network fails, or nothing moves any more
 * @throws DOMException "AbortError" when whoever asked has given up
 */
export function upload(file: File, { signal, onProgress }: Progress): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    let stalled: ReturnType<typeof setTimeout> | undefined
    const moved = () => {
      clearTimeout(stalled)
      stalled = setTimeout(() => request.abort(), STALLED_MS)
    }
    const abort = () => request.abort()
    signal.addEventListener("abort", abort)
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      moved()
      onProgress(total > 0 ? loaded / total : 0)
    })
    request.addEventListener("load", () => {
      const body = parsed(request.responseText)
      if (request.status === 201) resolve(body as Uploaded)
      else reject(errorOf(body, { status: request.status, headers: headersOf(request) }))
    })
    request.addEventListener("error", () => reject(new GatewayAway()))
    request.addEventListener("abort", () =>
      reject(signal.aborted ? new DOMException("The upload was given up.", "AbortError") : new GatewayAway()),
    )
    request.addEventListener("loadend", () => {
      clearTimeout(stalled)
      signal.removeEventListener("abort", abort)
    })
    request.open("POST", `/files?${new URLSearchParams({ name: file.name }).toString()}`)
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream")
    moved()
    request.send(file)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function headersOf(request: XMLHttpRequest): Headers {
  const headers = new Headers()
  for (const name of ["Retry-After", "X-Request-ID"]) {
    const value = request.getResponseHeader(name)
    if (value !== null) headers.set(name, value)
  }
  return headers
}
