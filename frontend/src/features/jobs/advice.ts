import type { Failure } from "@/api/client"

const ADVICE: Readonly<Record<string, string>> = {
  "input-rejected": "Give another file or URL.",
  interrupted: "Run it again.",
  "model-loading": "Run it again in some minutes, when the provider has loaded the model, or choose another one.",
  "model-unavailable": "Choose another model, or leave out the option that the model refuses.",
  "outcome-unknown": "Look at the provider's own log before you run it again: it may have done and charged the work.",
  "provider-ambiguous":
    "Look at the provider's own log before you run it again: it may have done and charged the work.",
  "provider-misconfigured":
    "Whoever runs this server should check the provider's key and credit; another model may work now.",
  "provider-rate-limited": "Wait a little and run it again, or choose another model.",
  "provider-rejected": "Change the input or the options, or choose another model.",
  "provider-unavailable": "Run it again later, or choose another model.",
  "worker-unavailable": "Whoever runs this server should look at the worker; run the job again when it answers.",
}

/** What to do about a failure: its own hint, or advice for its code. */
export function adviceFor(failure: Failure): string {
  return failure.hint || (ADVICE[failure.code] ?? "Run it again; if it fails once more, report it with the job's id.")
}
