import { useState } from "react"
import { Icon } from "@/components/ui/icons"
import { Segments } from "@/components/ui/segmented"
import type { Theme } from "@/lib/theme"
import { THEMES, chooseTheme, chosenTheme } from "@/lib/theme"

const LABELS: Readonly<Record<Theme, string>> = { system: "As the system", light: "Light", dark: "Dark" }

/** Chooses the color theme. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(chosenTheme)
  const choose = (chosen: Theme) => {
    chooseTheme(chosen)
    setTheme(chosen)
  }
  const options = THEMES.map((value) => ({ value, label: LABELS[value], content: <Icon name={value} size={15} /> }))
  return (
    <div aria-label="Theme" role="radiogroup">
      <Segments name="theme" onChange={choose} options={options} value={theme} />
    </div>
  )
}
