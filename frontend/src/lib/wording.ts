/** Plain words for what the pipelines' schemas name and describe for programmers. */

import { words } from "@/lib/format"

const LABELS: Readonly<Record<string, string>> = {
  audio_url: "Recording",
  image_url: "Image",
  system: "Instructions",
  negative_prompt: "Leave out",
  max_tokens: "Longest answer",
  stop: "Stop at",
  provider_options: "Extra settings",
}

const HINTS: Readonly<Record<string, string>> = {
  audio_url: "",
  image_url: "",
  system: "How the model shall answer.",
  top_p: "1 allows every word, less only the likeliest ones.",
  max_tokens: "In tokens, which are words or parts of words.",
  language: "Its code, for example en or pt-BR.",
  provider_options: "For experts: handed to the provider as they are.",
}

/** The name of an input or option as people read it. */
export function labelOf(name: string): string {
  return LABELS[name] ?? words(name)
}

/** What an input or option does, as people read it; `described` is what its schema says. */
export function hintOf(name: string, described: string): string {
  return HINTS[name] ?? described
}
