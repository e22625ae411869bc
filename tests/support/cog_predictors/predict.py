"""Models for a cog server: what they make is small, how they give it is what Replicate's models do."""

# ruff: noqa: B008  # cog reads what a model takes from the defaults

import tempfile
import time

# ruff: noqa: B008  # cog reads what a model takes from the defaults
from cog import BaseModel, BasePredictor, ConcatenateIterator, Input, Path
from PIL import Image


class Painter(BasePredictor):
    """A file, as image models make it."""

    def predict(
        self,
        prompt: str = Input(description="What to paint."),
        image: Path | None = Input(description="What to repaint.", default=None),
        seed: int = Input(description="Its color.", default=0),
    ) -> Path:
        if prompt.startswith("fail"):
            raise ValueError("no paint left")
        if prompt.startswith("slow"):
            for _ in range(600):
                time.sleep(0.1)  # cog cancels between two instructions
        if image is not None:
            painted = Image.open(image).convert("L")
        else:
            painted = Image.new("RGB", (64, 64), (seed % 256, 20, 120))
        path = Path(tempfile.mkdtemp()) / "painted.png"
        painted.save(path)
        return path


class Writer(BasePredictor):
    """A text in pieces, as language models make it."""

    def predict(self, prompt: str = Input(), system_prompt: str = Input(default="")) -> ConcatenateIterator[str]:
        yield from (system_prompt, " you", " said", ": ", prompt)


class Words(BaseModel):
    transcription: str
    segments: list
    detected_language: str


class Listener(BasePredictor):
    """An object, as transcription models make it."""

    def predict(self, audio: Path = Input(), language: str = Input(default="auto")) -> Words:
        size = audio.stat().st_size
        said = {"id": 0, "start": 0.0, "end": 1.5, "text": f" {size} bytes"}
        return Words(transcription=f" {size} bytes", segments=[said], detected_language=language)
