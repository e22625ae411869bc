import { useFile } from "@/api/files"
import { Ago } from "@/components/ui/ago"
import { AudioPlayer } from "@/components/ui/audio-player"
import { FileFrame } from "@/components/ui/file-frame"
import { FileLink } from "@/components/ui/file-link"
import { Icon } from "@/components/ui/icons"
import { Labeled } from "@/components/ui/labeled"
import { UploadField } from "@/features/create/upload-field"
import type { Kind } from "@/lib/kinds"

/** A file that an earlier job made. */
interface EarlierFile {
  kind: Kind
  value: string
  about: string
  createdAt: string
}

/** The files of the newest jobs. */
export interface Earlier {
  /** Null while these are not known. */
  files: readonly EarlierFile[] | null
  /** Why they are not known or not up to date, null where nothing is in the way. */
  reason: Error | null
}

const WORDS: Readonly<Record<Kind, string>> = { text: "text", image: "image", audio: "recording" }

interface MediaFieldProps {
  id: string
  label: string
  hint: string
  kind: Kind
  value: string
  error: string | undefined
  earlier: Earlier
  onChange: (value: string) => void
}

/** A file for a job: one's own, one at a public URL, or one that an earlier job made. */
export function MediaField({ id, label, hint, kind, value, error, earlier, onChange }: MediaFieldProps) {
  const files = earlier.files?.filter((file) => file.kind === kind) ?? []
  return (
    <div className="grid items-start gap-x-8 gap-y-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.4fr)]">
      <div className="space-y-3">
        <Labeled
          error={error}
          hint={`${hint} A file of yours, a public URL, or an earlier ${WORDS[kind]} that is chosen here.`}
          id={id}
          label={label}
        >
          {(props) => (
            <input
              {...props}
              autoComplete="off"
              className="control"
              inputMode="url"
              onChange={(event) => onChange(event.currentTarget.value)}
              placeholder="https://"
              spellCheck={false}
              value={value}
            />
          )}
        </Labeled>
        <UploadField kind={kind} label={`File: ${label}`} onUploaded={onChange} />
        {value.startsWith("/storage/") && <Preview key={value} kind={kind} path={value} />}
      </div>
      <fieldset className="min-w-0">
        <legend className="mb-1 text-small font-medium text-ink2">Earlier {WORDS[kind]}s</legend>
        {files.length === 0 ? (
          <p className="border border-dashed border-edge p-4 text-ink2">
            {earlier.files === null
              ? ["The newest jobs are not known yet.", earlier.reason?.message, "They appear here by themselves."].join(
                  " ",
                )
              : `None of the newest jobs made one. Run a pipeline that ends in ${kind}, or open an older job and follow “Use in” there.`}
          </p>
        ) : (
          <div className="grid grid-cols-3 gap-2 sm:grid-cols-4 md:grid-cols-5">
            {files.map((file) => (
              <Tile
                file={file}
                key={file.value}
                name={`${id}-earlier`}
                onChoose={onChange}
                selected={file.value === value}
              />
            ))}
          </div>
        )}
      </fieldset>
    </div>
  )
}

function Preview({ kind, path }: { kind: Kind; path: string }) {
  const file = useFile(path)
  const broken =
    kind === "audio" ? (
      <FileLink path={path} trouble="This file cannot be played here." />
    ) : (
      <p>There is no image at this path that can be shown.</p>
    )
  return (
    <FileFrame broken={broken} file={file}>
      {kind === "audio" ? (
        <AudioPlayer label="Chosen recording" onError={file.onError} src={path} />
      ) : (
        <img alt="Chosen" className="max-h-40 max-w-full bg-sunken" onError={file.onError} src={path} />
      )}
    </FileFrame>
  )
}

interface TileProps {
  file: EarlierFile
  name: string
  selected: boolean
  onChoose: (value: string) => void
}

function Tile({ file, name, selected, onChoose }: TileProps) {
  return (
    <label
      className="relative block min-w-0 border border-line bg-surface hover:border-edge has-checked:border-ink has-checked:outline-1 has-checked:outline-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-ink"
      title={file.about}
    >
      <input
        checked={selected}
        className="absolute inset-0 size-full cursor-pointer opacity-0"
        name={name}
        onChange={() => onChoose(file.value)}
        type="radio"
        value={file.value}
      />
      <span className="grid aspect-4/3 place-items-center overflow-hidden bg-sunken text-audio">
        {file.kind === "image" ? (
          <img alt="" className="size-full object-cover" loading="lazy" src={file.value} />
        ) : (
          <Icon name="audio" size={28} />
        )}
      </span>
      <span className="block truncate px-1.5 pt-1 text-small">{file.about || "Untitled"}</span>
      <Ago className="meta block truncate px-1.5 pb-1 text-ink3" moment={file.createdAt} />
    </label>
  )
}
