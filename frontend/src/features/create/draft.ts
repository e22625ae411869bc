import { useSyncExternalStore } from "react"
import type { Values } from "@/lib/form-values"

/** What a person has put in: inputs are kept from pipeline to pipeline, options belong to one. */
export interface Draft {
  /** The pipeline that was worked on last. */
  pipeline: string | null
  inputs: Values
  options: Readonly<Record<string, Values>>
}

export const EMPTY: Draft = { pipeline: null, inputs: {}, options: {} }

const KEY = "draft"
const listeners = new Set<() => void>()
let kept: Draft | null = null

/** The draft of this browser tab. It outlives the page: its change, its reload and the gateway's absence. */
export function keptDraft(): Draft {
  kept ??= parseDraft(stored(() => sessionStorage.getItem(KEY)))
  return kept
}

/** Keeps a draft. Where the browser allows no storage it lasts until the page is reloaded. */
export function keepDraft(draft: Draft): void {
  kept = draft
  stored(() => sessionStorage.setItem(KEY, JSON.stringify(draft)))
  for (const listener of listeners) listener()
}

/** The kept draft, as it changes. */
export function useDraft(): Draft {
  return useSyncExternalStore(subscribe, keptDraft)
}

/** The draft that a stored text holds; the empty one when it holds none. */
export function parseDraft(text: string | null): Draft {
  if (text === null) return EMPTY
  try {
    const value: unknown = JSON.parse(text)
    return isDraft(value) ? value : EMPTY
  } catch (error) {
    if (error instanceof SyntaxError) return EMPTY
    throw error
  }
}

function isDraft(value: unknown): value is Draft {
  if (!isRecord(value)) return false
  const { pipeline, inputs, options } = value
  return (
    (pipeline === null || typeof pipeline === "string") &&
    isValues(inputs) &&
    isRecord(options) &&
    Object.values(options).every(isValues)
  )
}

function isValues(value: unknown): value is Values {
  return isRecord(value) && Object.values(value).every((typed) => typeof typed === "string")
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** What the storage answers; null where the browser allows none or it is full. */
function stored<T>(ask: () => T): T | null {
  try {
    return ask()
  } catch (error) {
    if (error instanceof DOMException) return null
    throw error
  }
}
