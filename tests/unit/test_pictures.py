"""Images of strangers: what is said of them, their thumbnails, and what is left of them once they are encoded anew."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from genesis.files import pictures, redrawing
from genesis.files.probing import examine, strip

RED, BLUE = (200, 30, 30), (30, 30, 200)
TYPES = ["png", "jpeg", "webp", "gif", "bmp", "tiff", "avif"]
PAGE = b"<script>alert(document.domain)</script>"
SECRET = b"48.8583N 2.2945E"


def written(folder: Path, data: bytes) -> Path:
    path = folder / "given"
    path.write_bytes(data)
    return path


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, form.upper(), **options)
    return target.getvalue()


def seen(given: Path | bytes) -> Image.Image:
    """The decoded first frame."""
    with Image.open(io.BytesIO(given) if isinstance(given, bytes) else given) as image:
        image.load()
        return image.copy()


def two_colors(width: int = 80, height: int = 40) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    return exif.tobytes()


def animation(form: str, frames: int, size: int = 8) -> bytes:
    shades = [Image.new("RGB", (size, size), (number * 50 % 256, number // 5, 9)) for number in range(frames)]
    return encoded(shades[0], form, save_all=True, append_images=shades[1:], duration=40, loop=0)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def close(color: object, other: tuple[int, ...]) -> bool:
    assert isinstance(color, tuple)
    return all(abs(one - two) < 30 for one, two in zip(color, other, strict=False))


@pytest.mark.parametrize("form", TYPES)
def test_size_and_thumbnails(tmp_path: Path, form: str) -> None:
    found = examine(written(tmp_path, encoded(two_colors(1000, 500), form)), f"image/{form}")
    assert found.problem == ""
    assert (found.details.width, found.details.height, found.details.frames) == (1000, 500, 1)
    assert found.details.thumbnails == tuple(found.thumbnails) == (320, 640)
    for width, data in found.thumbnails.items():
        with Image.open(io.BytesIO(data)) as copy:
            assert (copy.format, copy.size) == ("WEBP", (width, width // 2))
            left, right = copy.convert("RGB").getpixel((5, 5)), copy.convert("RGB").getpixel((width - 5, 5))
        assert close(left, RED)
        assert close(right, BLUE)


@pytest.mark.parametrize(
    ("size", "copies"),
    [
        ((100, 50), {320: (100, 50)}),
        ((320, 10), {320: (320, 10)}),
        ((400, 400), {320: (320, 320), 640: (400, 400)}),
        ((2000, 1), {320: (320, 1), 640: (640, 1)}),
        ((10, 60_000), {320: (1, 1280)}),
    ],
)
def test_thumbnails_are_never_larger_than_the_image(
    tmp_path: Path, size: tuple[int, int], copies: dict[int, tuple[int, int]]
) -> None:
    found = examine(written(tmp_path, encoded(Image.new("L", size, 90), "png")), "image/png")
    assert found.problem == ""
    assert {width: seen(data).size for width, data in found.thumbnails.items()} == copies


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_measured_and_shown_as_its_camera_was_held(tmp_path: Path, form: str, orientation: int) -> None:
    path = written(tmp_path, encoded(two_colors(), form, exif=oriented(orientation)))
    found = examine(path, f"image/{form}")
    sideways = orientation > 4
    assert (found.details.width, found.details.height) == ((40, 80) if sideways else (80, 40))
    # Where the red half is then (Exif 2.32, 4.6.4: rows and columns of the stored image).
    red_first = orientation in (1, 4, 5, 6)
    assert strip(path, f"image/{form}", tmp_path / "bare") == ""
    for data in (found.thumbnails[320], (tmp_path / "bare").read_bytes()):
        with Image.open(io.BytesIO(data)) as copy:
            assert copy.size == ((40, 80) if sideways else (80, 40))
            assert copy.getexif().get(0x0112, 1) == 1
            assert close(copy.convert("RGB").getpixel((3, 3)), RED if red_first else BLUE)


@pytest.mark.parametrize("form", ["gif", "webp", "png", "tiff", "avif"])
def test_animations(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, animation(form, 5, size=400))
    found = examine(path, f"image/{form}")
    assert (found.details.frames, found.problem) == (5, "")
    with Image.open(io.BytesIO(found.thumbnails[320])) as copy:
        assert copy.n_frames == 1
        assert close(copy.getpixel((5, 5)), (0, 0, 9))
    assert strip(path, f"image/{form}", tmp_path / "bare") == ""
    with Image.open(tmp_path / "bare") as bare:
        assert (bare.format, bare.n_frames) == (form.upper(), 5)
        bare.seek(3)
        bare.load()
        assert form == "tiff" or bare.info["duration"] == 40


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "I;16", "LAB"])
def test_images_of_every_mode(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (700, 20), RED).convert("LAB") if mode == "LAB" else Image.new(mode, (700, 20))
    form = "tiff" if mode in ("CMYK", "I", "F", "LAB") else "png"
    path = written(tmp_path, encoded(image, form))
    found = examine(path, f"image/{form}")
    assert (found.problem, sorted(found.thumbnails)) == ("", [320, 640])
    assert strip(path, f"image/{form}", tmp_path / "bare") == ""
    with Image.open(tmp_path / "bare") as bare:
        assert (bare.size, bare.mode) == ((700, 20), seen(path).mode)


def test_transparency_stays(tmp_path: Path) -> None:
    image = two_colors(400, 40)
    image.putalpha(0)
    few = two_colors(400, 40).quantize(4)
    for data in (encoded(image, "png"), encoded(few, "png", transparency=few.getpixel((5, 5)))):
        path = written(tmp_path, data)
        with Image.open(io.BytesIO(examine(path, "image/png").thumbnails[320])) as copy:
            assert copy.getpixel((5, 5))[3] == 0
        assert strip(path, "image/png", tmp_path / "bare") == ""
        assert seen(tmp_path / "bare").convert("RGBA").getpixel((5, 5))[3] == 0


def test_too_many_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, encoded(Image.new("L", (100, 101)), "png"))
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10_000)
    assert "megapixels" in examine(path, "image/png").problem
    assert "megapixels" in strip(path, "image/png", tmp_path / "bare")
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10_100)
    assert examine(path, "image/png").problem == ""


def test_the_frames_of_an_animation_have_a_limit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, animation("gif", 5))
    monkeypatch.setattr(redrawing, "_MOST_PIXELS_IN_ALL", 5 * 64 - 1)
    assert "together" in strip(path, "image/gif", tmp_path / "bare")
    monkeypatch.setattr(redrawing, "_MOST_PIXELS_IN_ALL", 5 * 64)
    assert strip(path, "image/gif", tmp_path / "bare") == ""


def test_a_picture_that_breaks_off(tmp_path: Path) -> None:
    data = encoded(Image.effect_noise((500, 300), 90), "png")
    found = examine(written(tmp_path, data[: len(data) // 2]), "image/png")
    assert found.problem == "The image is broken: its head can be read, but not its picture."
    assert (found.details.width, found.thumbnails) == (500, {})


@pytest.mark.parametrize("form", TYPES)
def test_whatever_is_cut_or_changed_is_told_in_a_sentence(tmp_path: Path, form: str) -> None:
    whole = encoded(two_colors(64, 64), form, **({"exif": oriented(6)} if form != "bmp" else {}))
    for place in range(0, len(whole), max(len(whole) // 60, 1)):
        for data in (whole[:place], whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :]):
            found = examine(written(tmp_path, data), f"image/{form}")
            assert found.thumbnails or found.problem
            problem = strip(tmp_path / "given", f"image/{form}", tmp_path / "bare")
            assert problem or (tmp_path / "bare").exists()


def test_only_the_decoder_of_the_type_is_tried(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(two_colors(), "tiff"))
    assert examine(path, "image/png").problem == "The image cannot be decoded."
    assert "neither" in examine(path, "text/html").problem
    assert "neither" in strip(path, "text/html", tmp_path / "bare")
    assert examine(tmp_path / "missing", "image/png").problem == "The image cannot be decoded."


def with_metadata(form: str, orientation: int = 1) -> bytes:
    options: dict[str, object] = {"exif": oriented(orientation), "icc_profile": profile()}
    if form == "png":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET.decode())
        options["pnginfo"] = text
    elif form in ("jpeg", "webp"):
        options["xmp"] = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    if form == "jpeg":
        options["comment"] = SECRET
    return encoded(two_colors(), form, **options)


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff", "avif"])
def test_metadata_goes_and_the_color_profile_stays(tmp_path: Path, form: str) -> None:
    data = with_metadata(form)
    assert SECRET in data
    assert strip(written(tmp_path, data), f"image/{form}", tmp_path / "bare") == ""
    bare = (tmp_path / "bare").read_bytes()
    assert SECRET not in bare
    with Image.open(io.BytesIO(bare)) as image:
        assert image.info["icc_profile"] == profile()
        assert not dict(image.getexif()) or form == "tiff"
        assert close(image.convert("RGB").getpixel((5, 5)), RED)
    found = examine(tmp_path / "given", f"image/{form}")
    for copy in found.thumbnails.values():
        assert SECRET not in copy
        assert seen(copy).info.get("icc_profile") is None


def test_a_gif_loses_its_comment(tmp_path: Path) -> None:
    assert strip(written(tmp_path, encoded(two_colors(), "gif", comment=SECRET)), "image/gif", tmp_path / "bare") == ""
    assert SECRET not in (tmp_path / "bare").read_bytes()


@pytest.mark.parametrize("hidden", [PAGE, bytes(64), profile()[:200]])
def test_a_profile_that_is_none_goes(tmp_path: Path, hidden: bytes) -> None:
    path = written(tmp_path, encoded(two_colors(), "jpeg", icc_profile=hidden))
    assert examine(path, "image/jpeg").problem == ""
    assert strip(path, "image/jpeg", tmp_path / "bare") == ""
    assert PAGE not in (tmp_path / "bare").read_bytes()


def test_what_hangs_on_a_profile_goes(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(two_colors(), "jpeg", icc_profile=profile() + PAGE))
    assert strip(path, "image/jpeg", tmp_path / "bare") == ""
    assert PAGE not in (tmp_path / "bare").read_bytes()


def test_a_profile_for_other_channels_goes(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(Image.new("CMYK", (400, 20)), "jpeg", icc_profile=profile()))
    assert sorted(examine(path, "image/jpeg").thumbnails) == [320, 640]
    assert strip(path, "image/jpeg", tmp_path / "bare") == ""
    assert seen(tmp_path / "bare").info.get("icc_profile") is None


def test_a_lossless_image_stays_one(tmp_path: Path) -> None:
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    for options in ({"lossless": True}, {"lossless": True, "icc_profile": profile()}):
        assert strip(written(tmp_path, encoded(noise, "webp", **options)), "image/webp", tmp_path / "bare") == ""
        assert seen(tmp_path / "bare").convert("RGB").tobytes() == noise.tobytes()


def test_a_jpeg_loses_little(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(Image.effect_noise((256, 256), 60).convert("RGB"), "jpeg", quality=60))
    assert strip(path, "image/jpeg", tmp_path / "bare") == ""
    with Image.open(path) as before, Image.open(tmp_path / "bare") as after:
        differences = [abs(one - two) for one, two in zip(before.tobytes(), after.tobytes(), strict=True)]
    assert sum(differences) < 0.5 * len(differences)
    assert (tmp_path / "bare").stat().st_size < 1.2 * path.stat().st_size


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("page.html", PAGE)
    return target.getvalue()


def gif_that_is_a_script() -> bytes:
    """A GIF whose first bytes are an assignment to the variable GIF89a, with the picture in a comment of JavaScript."""
    picture = encoded(Image.new("P", (0x2A2F, 1)), "gif")  # the width is written as "/*"
    return picture + b"*/=1;" + PAGE


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        pytest.param("image/png", encoded(two_colors(), "png") + archive(), id="png-and-zip"),
        pytest.param("image/jpeg", encoded(two_colors(), "jpeg") + PAGE, id="jpeg-and-html"),
        pytest.param("image/jpeg", encoded(two_colors(), "jpeg", comment=PAGE), id="jpeg-with-html-inside"),
        pytest.param("image/gif", gif_that_is_a_script(), id="gif-and-script"),
        pytest.param("image/webp", encoded(two_colors(), "webp") + archive(), id="webp-and-zip"),
        pytest.param("image/bmp", encoded(two_colors(), "bmp") + PAGE, id="bmp-and-html"),
        pytest.param(
            "image/png",
            encoded(two_colors(), "png")[:33] + png_chunk(b"evIL", PAGE) + encoded(two_colors(), "png")[33:],
            id="png-with-a-foreign-chunk",
        ),
    ],
)
def test_a_file_that_is_two_is_one_afterwards(tmp_path: Path, media_type: str, data: bytes) -> None:
    path = written(tmp_path, data)
    found = examine(path, media_type)
    assert found.problem == ""
    assert strip(path, media_type, tmp_path / "bare") == ""
    for left in (*found.thumbnails.values(), (tmp_path / "bare").read_bytes()):
        assert b"script" not in left
        assert b"*/=1" not in left
        assert not zipfile.is_zipfile(io.BytesIO(left))
    assert seen(tmp_path / "bare").size == seen(path).size
