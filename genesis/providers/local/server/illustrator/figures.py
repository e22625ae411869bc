"""Draws placed figures into the picture with their shadows, reflections and lights."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from genesis.providers.local.server.illustrator.palette import mix
from genesis.providers.local.server.illustrator.pen import Pen
from genesis.providers.local.server.illustrator.placing import Placement
from genesis.providers.local.server.illustrator.stage import Stage
from genesis.providers.local.server.illustrator.water import has_shore, ripples, shore_row


def draw_figure(stage: Stage, placement: Placement) -> None:
    """Draws one figure, first what lies under it."""
    figure = placement.figure
    height = max(6.0, placement.height)
    factor = stage.supersample + (1 if height < 300 else 0)
    pen = Pen(
        figure.width, figure.height, height, stage.light, stage.random(placement.part),
        flip=placement.flip, supersample=factor,
    )  # fmt: skip
    figure.draw(pen, placement.ink)
    sprite = pen.finish()
    if placement.haze > 0:
        air = Image.new("RGB", sprite.size, tuple(round(255 * min(1.0, part)) for part in stage.horizon_color()))
        hazy = Image.blend(sprite.convert("RGB"), air, placement.haze)
        hazy.putalpha(sprite.getchannel("A"))
        sprite = hazy
    if placement.angle:
        sprite = sprite.rotate(placement.angle, Image.Resampling.BICUBIC, expand=True)
    unit = height / figure.height
    left = placement.x - sprite.width / 2
    top = placement.base - height - pen.margin * unit
    if placement.angle:
        top = placement.base - height / 2 - sprite.height / 2
    if placement.grounded:
        _cast_shadow(stage, placement)
    if placement.afloat:
        _reflect(stage, placement, sprite, round(left), round(top))
    stage.paste(sprite, round(left), round(top))
    if placement.afloat:
        _draw_wake(stage, placement)
    if not placement.angle:
        stage.glows.extend((left + glow.x, top + glow.y, glow.radius, glow.color) for glow in pen.glows)


def _cast_shadow(stage: Stage, placement: Placement) -> None:
    """A soft contact shadow, longer on the side away from the light."""
    wide = placement.width
    if placement.figure.name in {
        "tree",
        "palm",
        "flower",
        "windmill",
        "cactus",
        "street lamp",
        "pine",
        "mushroom",
        "lamp",
    }:
        wide *= 0.5
    tall = max(2.5, min(placement.height * 0.045, wide * 0.10))
    reach = wide * 0.5
    pad = round(tall * 3 + wide * 0.35)
    size = (round(wide + 2 * pad), round(2 * tall + 2 * pad))
    shape = Image.new("L", size, 0)
    draw = ImageDraw.Draw(shape)
    cx, cy = size[0] / 2, size[1] / 2
    shift = -stage.light.x * wide * 0.16
    draw.ellipse((cx - reach + shift, cy - tall, cx + reach + shift, cy + tall), fill=120)
    draw.ellipse((cx - reach * 0.8, cy - tall * 0.6, cx + reach * 0.8, cy + tall * 0.6), fill=190)
    soft = shape.filter(ImageFilter.GaussianBlur(tall * 0.55))
    dark = mix(stage.light.shade, (0.02, 0.02, 0.06), 0.78)
    shadow = Image.new("RGBA", size, (*(round(255 * min(1.0, part)) for part in dark), 0))
    shadow.putalpha(soft)
    strength = 0.75 if stage.scene.season != "winter" else 0.5
    stage.paste(shadow, round(placement.x - cx), round(placement.base - cy - tall * 0.2), strength)


def _reflect(stage: Stage, placement: Placement, sprite: Image.Image, left: int, top: int) -> None:
    """The figure upside down in the water, broken by the ripples."""
    base = round(placement.base)
    above = sprite.crop((0, 0, sprite.width, max(1, base - top))).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    above = above.resize((above.width, max(2, round(above.height * 0.7))), Image.Resampling.BOX)
    depth = (shore_row(stage) if has_shore(stage) else stage.height) - base
    if depth < 3 or stage.height - stage.horizon < 4:
        return
    above = above.crop((0, 0, above.width, min(above.height, depth)))
    pixels = np.asarray(above)
    waves = ripples(stage, stage.height - stage.horizon, 1.0)
    start = max(0, base - stage.horizon)
    x0 = int(np.clip(left, 0, stage.width - 1))
    span = min(above.width, stage.width - x0)
    local = np.zeros((above.height, above.width), np.float32)
    window = waves[start : start + above.height, x0 : x0 + span]
    local[: window.shape[0], : window.shape[1]] = window
    grow = np.linspace(0.25, 1.0, above.height, dtype=np.float32)[:, None]
    columns = np.clip(np.arange(above.width)[None, :] + local * grow * stage.unit * 0.10, 0, above.width - 1).astype(
        np.int64
    )
    rows = np.clip(np.arange(above.height)[:, None] + local * grow * stage.unit * 0.02, 0, above.height - 1).astype(
        np.int64
    )
    moved = pixels[rows, columns].copy()
    fade = np.linspace(0.72, 0.12, above.height)[:, None]
    moved[..., 3] = (moved[..., 3] * fade).astype(np.uint8)
    stage.paste(Image.fromarray(moved), left, base, 0.8)


def _draw_wake(stage: Stage, placement: Placement) -> None:
    """Light lines where the water meets a floating figure."""
    layer = Image.new("L", (round(placement.width * 1.4) + 4, max(6, round(placement.height * 0.12))), 0)
    draw = ImageDraw.Draw(layer)
    middle, thick = layer.height / 2, max(1, round(stage.unit / 420))
    for offset, reach in ((0.0, 0.86), (0.3, 0.66), (0.62, 0.42)):
        half = layer.width * reach / 2
        y = middle * (1 + offset)
        draw.line(
            [(layer.width / 2 - half, y), (layer.width / 2 + half, y)], fill=round(190 * (1 - offset)), width=thick
        )
    soft = layer.filter(ImageFilter.GaussianBlur(max(0.6, stage.unit / 700)))
    tone = mix(stage.horizon_color(), (1.0, 1.0, 1.0), 0.5)
    wake = Image.new("RGBA", layer.size, (*(round(255 * min(1.0, part)) for part in tone), 0))
    wake.putalpha(soft)
    stage.paste(wake, round(placement.x - layer.width / 2), round(placement.base - middle), 0.75)
