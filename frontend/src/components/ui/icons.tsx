/** Icons of the page, drawn on a grid of 16; decorative, so a word always stands beside them or names their button. */

const PATHS = {
  text: "M2.5 3.5h11M2.5 8h11M2.5 12.5h6.5",
  image: "M2.5 3h11v10h-11zM2.5 11l3.5-3.5 3 3 1.5-1.5 3 3M10.3 5.9h.4",
  audio: "M2.5 6.5v3M5.25 4v8M8 2.5v11M10.75 5v6M13.5 7v2",
  arrow: "M3 8h10M9.5 4.5 13 8l-3.5 3.5",
  check: "m3 8.5 3.2 3.2L13 5",
  cross: "m4 4 8 8M12 4l-8 8",
  slash: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM4.3 11.7l7.4-7.4",
  circle: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z",
  dash: "M4 8h8",
  warning: "M8 2.5 14 13H2zM8 6.5v3M8 11.3v.2",
  create: "M8 3v10M3 8h10",
  jobs: "M2.5 4h11M2.5 8h11M2.5 12h11",
  system: "M2.5 3h11v7.5h-11zM6 13.5h4M8 10.5v3",
  light:
    "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  dark: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  download: "M8 2.5v8M4.8 7.6 8 10.8l3.2-3.2M2.5 13.5h11",
  play: "M4.5 2.8v10.4L13 8z",
  pause: "M5 3v10M11 3v10",
  down: "m4 6 4 4 4-4",
  again: "M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3",
  book: "M3 3h4.2L8 3.8 8.8 3H13v9.5H9L8 13.3l-1-.8H3zM8 4v9",
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      className="shrink-0"
      fill={name === "play" ? "currentColor" : "none"}
      height={size}
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth={name === "pause" ? 2.2 : 1.4}
      viewBox="0 0 16 16"
      width={size}
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** The four kinds of frames on a light table; one is still waiting for its content. */
export function Logo() {
  return (
    <svg aria-hidden="true" height="18" viewBox="0 0 18 18" width="18">
      <rect fill="var(--kind-text)" height="7" width="7" x="1" y="1" />
      <rect fill="var(--kind-image)" height="7" width="7" x="10" y="1" />
      <rect fill="var(--kind-audio)" height="7" width="7" x="1" y="10" />
      <path d="M10.7 10.7h5.6v5.6h-5.6z" fill="none" stroke="currentColor" strokeWidth="1.4" />
    </svg>
  )
}
