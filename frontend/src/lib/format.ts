/** How long something took: "0.42 s", "12.3 s", "3 min 05 s", "2 h 04 min". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
}

/** Time between two moments as the API gives them; until `now` while the second is missing. */
export function between(from: string, to: string | null, now = Date.now()): number {
  return (to === null ? now : Date.parse(to)) - Date.parse(from)
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" })
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
]

/** How long ago a moment was: "just now", "5 minutes ago", "yesterday"; its date after a week. */
export function ago(moment: string, now = Date.now()): string {
  const seconds = (now - Date.parse(moment)) / 1000
  if (seconds < 45) return "just now"
  if (seconds >= 7 * 86_400) {
    return new Date(moment).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" })
  }
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["minute", 60]
  return RELATIVE.format(-Math.max(1, Math.floor(seconds / size)), unit)
}

/** The full local date and time of a moment. */
export function exact(moment: string): string {
  return new Date(moment).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" })
}

/** A cost: "$0.0031", "free"; "not reported" when the provider did not say. */
export function cost(microdollars: number | null): string {
  if (microdollars === null) return "not reported"
  if (microdollars === 0) return "free"
  const dollars = microdollars / 1_000_000
  return dollars >= 1 ? `$${dollars.toFixed(2)}` : `$${dollars.toPrecision(2)}`
}

/** A position in a recording: "0:07", "12:30". */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0
  return `${Math.floor(whole / 60)}:${pad(whole % 60)}`
}

/** A name of the API as words: "aspect_ratio" becomes "Aspect ratio", "audio_url" "Audio URL". */
export function words(name: string): string {
  const text = name.replaceAll("_", " ").replace(/\burl\b/g, "URL")
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** How many characters a text has, as people and the gateway count them: "😀" is one. */
export function characters(text: string): number {
  return Array.from(text).length
}

function pad(value: number): string {
  return String(value).padStart(2, "0")
}
