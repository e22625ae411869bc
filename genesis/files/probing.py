"""Looks into the files of strangers; whatever is wrong with one becomes a value, never an error.

To be called in a process that may be lost (`genesis.files.examiner`), since decoders of others do the work.
"""

from pathlib import Path

from genesis.errors import UnsupportedMedia
from genesis.files.examination import Examination
from genesis.net.media import Family, family_of

_NAMES: dict[Family, str] = {"image": "image", "audio": "recording"}


def examine(path: Path, media_type: str) -> Examination:
    """What a file on the disk holds.

    Args:
        media_type: found in its content; only the decoder for it is tried.
    """
    family = family_of(media_type)
    if family is None:
        return Examination(problem="The file is neither an image nor a recording.")
    try:
        if family == "image":
            from genesis.files.pictures import pictured

            return pictured(path, media_type)
        from genesis.files.recordings import heard

        return heard(path, media_type)
    except UnsupportedMedia as error:
        return Examination(problem=error.message)
    except Exception:  # noqa: BLE001  # decoders raise anything; that the file cannot be decoded is all there is to say
        return Examination(problem=f"The {_NAMES[family]} cannot be decoded.")


def strip(source: Path, media_type: str, target: Path) -> str:
    """Writes a copy that holds the picture or the sound and nothing else.

    An image is encoded anew: it is turned as it is to be shown, keeps its color profile, and nothing else of the
    original's bytes. A recording's sound is copied as it is into a new container without tags and pictures.

    Returns:
        Why there is no copy, in a sentence; "" where there is one.
    """
    family = family_of(media_type)
    if family is None:
        return "The file is neither an image nor a recording."
    try:
        if family == "image":
            from genesis.files.redrawing import redrawn

            redrawn(source, media_type, target)
        else:
            from genesis.files.recordings import remuxed

            remuxed(source, media_type, target)
    except UnsupportedMedia as error:
        return error.message
    except Exception:  # noqa: BLE001  # as above
        return f"The {_NAMES[family]} cannot be written without its metadata."
    return ""
