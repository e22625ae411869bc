/** The kinds of content, as people see them. */

export const KINDS = ["text", "image", "audio"] as const
export type Kind = (typeof KINDS)[number]

const BY_FORMAT: Readonly<Record<string, Kind>> = { text: "text", image_url: "image", audio_url: "audio" }
const BY_WORD: Readonly<Record<string, Kind>> = { text: "text", image: "image", speech: "audio", audio: "audio" }
const BY_CAPABILITY: Readonly<Record<string, Kind>> = {
  text: "text",
  transcription: "text",
  image: "image",
  image_transform: "image",
  speech: "audio",
}

/** The kind that a JSON Schema's `format` means, null for what is no content. */
export function kindOfFormat(format: string): Kind | null {
  return BY_FORMAT[format] ?? null
}

/** The kind that a capability makes. */
export function kindOfCapability(capability: string): Kind | null {
  return BY_CAPABILITY[capability] ?? null
}

/** A pipeline's type taken apart: `speech_to_image` is speech (audio) to image; null where it is not named like that. */
export function ends(type: string): { word: string; kind: Kind }[] | null {
  const found = type.split("_to_").map((word) => ({ word, kind: BY_WORD[word] }))
  const known = found.filter((end): end is { word: string; kind: Kind } => end.kind !== undefined)
  return known.length === found.length && known.length === 2 ? known : null
}
