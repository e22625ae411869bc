"""Media types found in content; names and headers that come with a file are not believed."""

import codecs
import re
from collections.abc import Collection
from typing import Literal

Family = Literal["image", "audio"]

_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/avif": "avif",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/webm": "webm",
    "audio/aac": "aac",
}

IMAGE_TYPES = frozenset(media_type for media_type in _EXTENSIONS if media_type.startswith("image/"))
"""Image types that the platform works with."""
AUDIO_TYPES = frozenset(media_type for media_type in _EXTENSIONS if media_type.startswith("audio/"))
"""Audio types that the platform works with."""

HEAD_BYTES = 64 * 1024
"""So much of a file tells its type, but for the tracks of an ISO media file."""
ISO_MEDIA = "application/mp4"
"""What `Sniffer.head_type` says of an ISO media file (MP4 and its like) whose tracks are not known yet (RFC 4337)."""

_TEXT_BYTES = 8192
_BRAND_END = 12
_HANDLER_BYTES = 16
_FRAME_BYTES = 16
_IMAGE_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_AVIF_BRANDS = {b"avif", b"avis"}  # one image, and a sequence (AV1 Image File Format, 6)
_MP4_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"F4A "}
_MP4_BRANDS = (b"iso", b"mp4", b"dash", b"M4V", b"avc1", b"msdh")
_MP4_HANDLER = re.compile(rb"hdlr.{8}(vide|soun)", re.DOTALL)  # ISO/IEC 14496-12, 8.4.3
_WEBM_VIDEO_CODEC = re.compile(rb"\x86[\x81-\xff]V_")  # the element CodecID (RFC 9559, 5.1.4.1.21)
_PROLOG = re.compile(rb"(\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)  # what may stand before the content of HTML and XML
_HTML_START = re.compile(
    rb"<(!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|link)[\s/>]"
)  # MIME Sniffing Standard, 7.1, and two elements that begin a head without its tag


class Sniffer:
    """Finds the media type of a file that arrives in pieces; it keeps little more than the first 64 KiB of it.

    However the file is cut, the type at the end is what `sniff` finds in the whole.
    """

    def __init__(self) -> None:
        self._size = 0
        self._head = bytearray()
        self._frame = b""  # what follows an ID3 tag, which may be longer than the head
        self._unsearched = b""
        self._handlers: set[bytes] = set()

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes of the file, any number of them."""
        self._head += piece[: HEAD_BYTES - len(self._head)]
        if start := _id3_size(self._head):
            begin, end = start + len(self._frame) - self._size, start + _FRAME_BYTES - self._size
            self._frame += piece[max(begin, 0) : max(end, 0)]
        self._size += len(piece)
        self._search(piece)

    @property
    def head_type(self) -> str | None:
        """What the first 64 KiB tell; None until they are there.

        Returns:
            `ISO_MEDIA` where only what is still to come can tell the type; otherwise as `media_type`. Which kind of
            audio follows an ID3 tag of more than 64 KiB may turn out differently.
        """
        if len(self._head) < HEAD_BYTES:
            return None
        return ISO_MEDIA if _is_any_mp4(self._head) and not self._handlers else self.media_type

    @property
    def media_type(self) -> str:
        """The type by all that was fed; as `sniff` returns it."""
        head = bytes(self._head)
        return _image(head) or _audio(head, self._frame, self._handlers) or _text(head) or _other(head)

    def _search(self, piece: bytes) -> None:
        """Looks for the handlers of an MP4 file's tracks, which may stand anywhere."""
        self._unsearched += piece
        if self._size < _BRAND_END:
            return
        if not _is_any_mp4(self._head):
            self._unsearched = b""
            return
        done = max(len(self._unsearched) - _HANDLER_BYTES + 1, 0)
        for match in _MP4_HANDLER.finditer(self._unsearched):
            self._handlers.add(match.group(1))
            done = max(done, match.end())
        self._unsearched = self._unsearched[done:]


def sniff(data: bytes) -> str:
    """The media type of a file.

    Files that the platform works with are told by their exact signature; what else it may be is for messages only.

    Args:
        data: the whole file, since an MP4 file may tell its tracks at its end.

    Returns:
        One of IMAGE_TYPES or AUDIO_TYPES, another type that was recognized, or "" if the content is unknown.
    """
    sniffer = Sniffer()
    sniffer.feed(data)
    return sniffer.media_type


def family_of(media_type: str) -> Family | None:
    """Whether the platform can work with files of this type, and as what."""
    if media_type in IMAGE_TYPES:
        return "image"
    return "audio" if media_type in AUDIO_TYPES else None


def extension(media_type: str) -> str:
    """The usual file name extension, without a dot; "bin" for types that the platform does not work with."""
    return _EXTENSIONS.get(media_type, "bin")


def _image(data: bytes) -> str:
    for signature, media_type in _IMAGE_SIGNATURES:
        if data.startswith(signature):
            return media_type
    if _riff(data) == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in _AVIF_BRANDS:
        return "image/avif"
    # Two letters are no signature: text may begin with them as well.
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "image/bmp"
    return ""


def _audio(data: bytes, frame: bytes, handlers: Collection[bytes]) -> str:
    if _riff(data) == b"WAVE":
        return "audio/wav"
    if data.startswith(b"OggS"):
        return "video/ogg" if b"\x80theora" in data[:512] else "audio/ogg"
    if data.startswith(b"\x1aE\xdf\xa3") and b"webm" in data[:128]:
        return "video/webm" if _WEBM_VIDEO_CODEC.search(data) else "audio/webm"
    if _is_any_mp4(data):
        return "video/mp4" if b"vide" in handlers else "audio/mp4" if b"soun" in handlers else ""
    if data[4:8] == b"ftyp":
        return "audio/mp4" if data[8:12] in _MP4_AUDIO_BRANDS else ""
    return (_frames(frame) or "audio/mpeg") if _id3_size(data) else _frames(data)


def _is_any_mp4(data: bytes | bytearray) -> bool:
    """Whether it is an MP4 file of a brand that says nothing about its tracks."""
    return data[4:8] == b"ftyp" and data[8:12].startswith(_MP4_BRANDS)


def _frames(data: bytes) -> str:
    """Types that are a bare sequence of frames (MPEG audio: ISO/IEC 11172-3, 2.4.2.3; ADTS: ISO/IEC 14496-3, 1.A.2)."""
    if data.startswith(b"fLaC"):
        return "audio/flac"
    if len(data) < 4 or data[0] != 0xFF:
        return ""
    if data[1] & 0xF6 == 0xF0 and (data[2] >> 2) & 0xF < 13:
        return "audio/aac"
    version, layer = (data[1] >> 3) & 3, (data[1] >> 1) & 3
    bitrate, sampling_rate = data[2] >> 4, (data[2] >> 2) & 3
    is_mp3 = data[1] >> 5 == 7 and version != 1 and layer == 1 and 0 < bitrate < 15 and sampling_rate != 3
    return "audio/mpeg" if is_mp3 else ""


def _id3_size(data: bytes | bytearray) -> int:
    """Bytes of the ID3v2 tag before the audio (id3.org, ID3v2.4.0 section 3.1); 0 when there is none."""
    if len(data) < 10 or not data.startswith(b"ID3") or max(data[6:10]) > 0x7F:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte
    return size + 10


def _riff(data: bytes) -> bytes:
    return data[8:12] if data.startswith(b"RIFF") else b""


def _text(data: bytes) -> str:
    head = data[:_TEXT_BYTES]
    try:
        codecs.utf_8_decode(head, "strict", False)
    except UnicodeDecodeError:
        return ""
    if not head or b"\x00" in head:
        return ""
    head = head.removeprefix(codecs.BOM_UTF8).lower()
    prolog = _PROLOG.match(head)
    start = head[prolog.end() :] if prolog else head
    if _HTML_START.match(start):
        return "text/html"
    if head.lstrip().startswith(b"<"):
        return "image/svg+xml" if b"<svg" in start else "application/xml"
    if start.startswith((b"{", b"[")):
        return "application/json"
    return "text/plain"


def _other(data: bytes) -> str:
    import filetype  # type: ignore[import-untyped]

    guess = filetype.guess_mime(data[:_TEXT_BYTES]) if data else None
    return guess if guess and family_of(guess) is None else ""


def type_of_extension(extension: str) -> str:
    """The media type of a file that was named by `extension`."""
    return next((kind for kind, known in _EXTENSIONS.items() if known == extension), "application/octet-stream")
