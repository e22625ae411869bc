/** First lines for people who want to see something before they think of something. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  text_to_text: [
    "Explain how a lighthouse lens works, in three sentences.",
    "Write a short poem about the first snow in a harbor town.",
    "Name five uses of a cast-iron pan beside cooking.",
  ],
  text_to_image: [
    "A lighthouse on a cliff at dusk, the sea calm",
    "A red fox in a snowy forest, morning light",
    "A sailing boat on a lake under the moon",
  ],
  text_to_speech: [
    "Welcome to the archive. Please mind the step.",
    "The train to the coast leaves from platform nine at a quarter past four.",
    "A calm sea at dawn, with a small boat on the horizon.",
  ],
}
