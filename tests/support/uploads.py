"""What tests send to the gateway as files, and what they look for in the store afterwards."""

import asyncio
import io
import random
import struct
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

BOUNDARY = "x-boundary-x"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def settings_on(kind, settings):
    """The settings with another database (`postgres`) or store (`s3`); not to be called in an event loop."""
    if kind == "postgres":
        from tests.support.postgres import postgres_url

        return settings.model_copy(update={"database_url": postgres_url()})
    if kind == "s3":
        from tests.support.s3 import shared_s3

        given = shared_s3().settings()
        names = ("storage_url", "aws_endpoint_url", "aws_access_key_id", "aws_secret_access_key")
        return settings.model_copy(update={name: getattr(given, name) for name in names})
    return settings


def png(width=64, height=48):
    """An image that does not compress well."""
    target = io.BytesIO()
    pixels = random.Random(5).randbytes(width * height * 3)
    Image.frombytes("RGB", (width, height), pixels).save(target, "PNG")
    return target.getvalue()


def jpeg_with_place():
    """An image that tells where it was taken."""
    target = io.BytesIO()
    image = Image.new("RGB", (32, 32), (1, 200, 3))
    exif = image.getexif()
    exif[0x010F] = "Camera of Ada"
    image.save(target, "JPEG", exif=exif)
    return target.getvalue()


def wav(seconds=0.5, rate=8_000):
    """A recording of noise, of any size."""
    samples = random.Random(6).randbytes(int(seconds * rate) * 2)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(samples),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        rate,
        rate * 2,
        2,
        16,
        b"data",
        len(samples),
    )
    return head + samples


def form(content, *, name="picture.png", **fields):
    """A form with a file, and fields before and after it."""
    parts = [(field, "", value.encode()) for field, value in fields.items() if not field.endswith("_")]
    parts.append(("file", f'; filename="{name}"' if name else "", content))
    parts += [(field.rstrip("_"), "", value.encode()) for field, value in fields.items() if field.endswith("_")]
    return (
        b"".join(
            b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
            % (BOUNDARY.encode(), field.encode(), more.encode(), value)
            for field, more, value in parts
        )
        + f"--{BOUNDARY}--\r\n".encode()
    )


async def pieces(content, size=10_000):
    """A body that comes in pieces and is of no announced length."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def stored(settings):
    """The names of all that lies in a store on this machine, also what is half-written."""
    return {path.name for path in Path(settings.storage_path).rglob("*") if path.is_file()}


async def examined(client, file):
    """The file once its content has been looked into."""
    async with asyncio.timeout(60):
        while (found := (await client.get(f"/files/{file['id']}")).json())["details"] is None:
            await asyncio.sleep(0.05)
    return found


async def connected(address, head, *lines):
    """A connection to a server on which the head of a request has been sent, and what may be read from it."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write("\r\n".join([head, f"Host: {parts.netloc}", *lines, "", ""]).encode())
    await writer.drain()
    return reader, writer


async def announced(client, **wishes):
    sent = await client.post("/files/presign", json={"media_type": "image/png"} | wishes)
    assert sent.status_code == 201, sent.text
    made = sent.json()
    assert sent.headers["location"] == f"/files/{made['file']['id']}"
    assert (made["file"]["state"], made["file"]["url"]) == ("waiting", None)
    return made
