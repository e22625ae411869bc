"""Whether a file can be read to its end, beyond the first bytes that tell what it is."""

import io

from workers.sound import frames_of

_MOST_PIXELS = 50_000_000
"""Larger images are believed: decoding them takes seconds, and hundreds of megabytes."""


def is_whole(data: bytes, media_type: str) -> bool:
    """Whether an image can be decoded, or a recording has sound; true of what cannot be judged here."""
    return _image(data) if media_type.startswith("image/") else _audio(data)


def _image(data: bytes) -> bool:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height <= _MOST_PIXELS:
                image.load()
    except Image.DecompressionBombError:
        return True
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return False
    return True


def _audio(data: bytes) -> bool:
    import av

    try:
        with av.open(io.BytesIO(data), "r") as container:
            return any(frame.samples for frame in frames_of(container))
    except (av.DecoderNotFoundError, av.PatchWelcomeError, av.NotImplementedError):
        return True  # that this decoder cannot read it is nothing against the file
    except (av.FFmpegError, ValueError, IndexError):
        return False
