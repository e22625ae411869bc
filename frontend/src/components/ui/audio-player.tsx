import { useRef, useState } from "react"
import { Icon } from "@/components/ui/icons"
import { clock } from "@/lib/format"

/** The recording that plays; starting another one stops it. */
let playing: HTMLAudioElement | null = null

interface AudioPlayerProps {
  src: string
  label: string
  /** The recording could not be fetched or played. */
  onError: () => void
}

/** Plays a recording: a real button and a real slider over a plain audio element. */
export function AudioPlayer({ src, label, onError }: AudioPlayerProps) {
  const audio = useRef<HTMLAudioElement>(null)
  const [isPlaying, setPlaying] = useState(false)
  const [position, setPosition] = useState(0)
  const [length, setLength] = useState(0)

  const toggle = async () => {
    const element = audio.current
    if (element === null) return
    if (!element.paused) {
      element.pause()
      return
    }
    try {
      await element.play()
    } catch (error) {
      // Leaving the page while it loads aborts it; anything else is told by the element's own error event.
      if (!(error instanceof DOMException)) throw error
    }
  }
  const started = () => {
    if (playing !== audio.current) playing?.pause()
    playing = audio.current
    setPlaying(true)
  }
  const seek = (seconds: number) => {
    if (audio.current !== null) audio.current.currentTime = seconds
    setPosition(seconds)
  }
  return (
    <div aria-label={label} className="flex items-center gap-3" role="group">
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- generated speech has no caption track; its text stands in the job */}
      <audio
        onDurationChange={(event) => setLength(event.currentTarget.duration)}
        onEnded={() => setPlaying(false)}
        onError={onError}
        onPause={() => setPlaying(false)}
        onPlay={started}
        onTimeUpdate={(event) => setPosition(event.currentTarget.currentTime)}
        preload="metadata"
        ref={audio}
        src={src}
      />
      <button
        aria-label={isPlaying ? "Pause" : "Play"}
        className="grid size-10 shrink-0 place-items-center rounded-full bg-audio text-surface hover:opacity-90 pointer-coarse:size-11"
        onClick={() => void toggle()}
        type="button"
      >
        <Icon name={isPlaying ? "pause" : "play"} />
      </button>
      <input
        aria-label="Position"
        aria-valuetext={`${clock(position)} of ${clock(length)}`}
        className="h-6 min-w-0 grow accent-audio"
        max={Number.isFinite(length) ? length : 0}
        min={0}
        onChange={(event) => seek(event.currentTarget.valueAsNumber)}
        step="any"
        type="range"
        value={position}
      />
      <span className="meta shrink-0 whitespace-nowrap text-ink2">
        {clock(position)} / {clock(length)}
      </span>
    </div>
  )
}
