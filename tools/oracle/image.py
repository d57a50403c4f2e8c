# SPDX-License-Identifier: Apache-2.0
"""Writes OUT/image: small PNG, JPEG and WebP files of every kind that data sets hold, the pixels
that a person should see and those of PIL's convert("RGB") as PPM files, and PIL's resized pictures.

    python tools/oracle/image.py --out tests/oracle

Needs Pillow (with LittleCMS) and numpy. index.json names the versions and the tolerance of each case.
"""
import argparse
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageCms, ImageOps

WIDTH, HEIGHT = 23, 17


def picture(width, height, channels, seed):
    """Smooth colours with some noise, so that a mixed-up channel, row or rounding shows."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 100 * np.sin(x / (3.0 + c) + y / (5.0 - c) + c) for c in range(channels)]
    noisy = np.stack(planes, -1) + rng.normal(0, 12, (height, width, channels))
    return np.clip(noisy, 0, 255)


# PNG files by hand: PIL writes neither 16-bit colour, interlacing nor transparency of single colours.
def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def packed_rows(samples, depth):
    height, width, channels = samples.shape
    flat = samples.reshape(height, width * channels)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in flat]
    elif depth == 8:
        rows = [row.astype(np.uint8).tobytes() for row in flat]
    else:
        rows = []
        for row in flat:
            bits = "".join(format(int(value), f"0{depth}b") for value in row)
            bits += "0" * (-len(bits) % 8)
            rows.append(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)))
    return b"".join(b"\0" + row for row in rows)


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, colour_type, before=b"", interlaced=False):
    height, width = samples.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    body = b"".join(packed_rows(part, depth) for part in passes if part.size)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before
            + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b""))


# ICC profiles by hand, as small as LittleCMS takes them.
def fixed(value):
    return struct.pack(">i", round(value * 65536))


def profile(space, kind, tags):
    tags = {"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 78, **tags}
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name.encode() + struct.pack(">II", start + len(body), len(data))
        body += data
    head = (struct.pack(">I", start + len(body)) + b"\0\0\0\0" + bytes([2, 16, 0, 0]) + kind + space
            + (b"Lab " if space == b"CMYK" else b"XYZ ") + b"\0" * 12 + b"acsp" + b"\0" * 28)
    head += fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    return head + b"\0" * (128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def xyz(x, y, z):
    return b"XYZ \0\0\0\0" + fixed(x) + fixed(y) + fixed(z)


def gamma(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def wide_rgb():
    """Primaries near Adobe RGB (adapted to D50) with gamma 1.8."""
    return profile(b"RGB ", b"mntr", {
        "wtpt": xyz(0.9642, 1.0, 0.8249),
        "rXYZ": xyz(0.6097, 0.3111, 0.0195), "gXYZ": xyz(0.2053, 0.6257, 0.0609),
        "bXYZ": xyz(0.1492, 0.0632, 0.7446),
        "rTRC": gamma(1.8), "gTRC": gamma(1.8), "bTRC": gamma(1.8)})


def dark_grey():
    return profile(b"GRAY", b"mntr", {"wtpt": xyz(0.9642, 1.0, 0.8249), "kTRC": gamma(1.4)})


def ink():
    """Two nodes an ink: Lab falls with the inks, so that the result differs from the plain formula."""
    ramp = bytes(range(256))
    nodes = bytearray()
    for node in range(16):
        c, m, y, k = (node >> 3) & 1, (node >> 2) & 1, (node >> 1) & 1, node & 1
        light = 255 * (1 - 0.85 * k) * (1 - 0.4 * c) * (1 - 0.45 * m) * (1 - 0.1 * y)
        a = 128 + (1 - k) * (70 * m - 35 * c)
        b = 128 + (1 - k) * (80 * y - 45 * c - 5 * m)
        nodes += bytes(int(np.clip(round(v), 0, 255)) for v in (light, a, b))
    identity = b"".join(fixed(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + bytes(nodes) + ramp * 3
    return profile(b"CMYK", b"prtr", {"wtpt": xyz(0.9642, 1.0, 0.8249), "A2B0": lut})


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def over_white(rgba):
    alpha = rgba[..., 3:].astype(float) / 255
    return np.floor(rgba[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)


def as_seen(data):
    """Profile to sRGB, alpha over white, upright: with PIL's own tools."""
    image = Image.open(io.BytesIO(data))
    embedded = image.info.get("icc_profile")
    alpha = None
    if image.mode in ("RGBA", "LA", "P") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        alpha, image = np.asarray(rgba)[..., 3:], rgba.convert("RGB")
    if embedded:
        turned = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(embedded)), ImageCms.createProfile("sRGB"),
            outputMode="RGB")
    else:
        turned = image.convert("RGB")
    pixels = np.asarray(turned)
    if alpha is not None:
        pixels = over_white(np.concatenate([pixels, alpha], -1))
    upright = Image.fromarray(pixels)
    upright.getexif()[0x0112] = Image.open(io.BytesIO(data)).getexif().get(0x0112, 1)
    return np.asarray(ImageOps.exif_transpose(upright))


def cases():
    """Yields (file name, bytes, pixels to see where PIL cannot tell or None, tolerance)."""
    rgb = picture(WIDTH, HEIGHT, 3, 1).astype(np.uint8)
    rgba = picture(WIDTH, HEIGHT, 4, 2).astype(np.uint8)
    grey = picture(WIDTH, HEIGHT, 1, 3).astype(np.uint8)
    deep = (picture(WIDTH, HEIGHT, 4, 4) * 257).astype(np.uint16)
    index = (picture(WIDTH, HEIGHT, 1, 5) / 16).astype(np.uint8)
    colours = np.random.default_rng(6).integers(0, 256, (16, 3)).astype(np.uint8)
    palette = chunk(b"PLTE", colours.tobytes())
    colour = Image.fromarray(rgb)

    yield "rgb8.png", png(rgb, 8, 2), None, 0
    yield "rgb8-interlaced.png", png(rgb, 8, 2, interlaced=True), None, 0
    yield "rgb16.png", png(deep[..., :3], 16, 2), (deep[..., :3] >> 8).astype(np.uint8), 0
    yield "rgba8.png", png(rgba, 8, 6), None, 1
    yield "rgba16.png", png(deep, 16, 6), over_white((deep >> 8).astype(np.uint8)), 1
    for depth in (1, 2, 4, 8):
        scale = 255 // (2**depth - 1)
        levels = grey >> (8 - depth)
        yield f"grey{depth}.png", png(levels, depth, 0), np.repeat(levels * scale, 3, 2), 0
    yield "grey16.png", png(deep[..., :1], 16, 0), np.repeat(deep[..., :1] >> 8, 3, 2).astype(np.uint8), 0
    yield "grey-alpha8.png", png(rgba[..., :2], 8, 4), None, 1
    yield "palette4.png", png(index, 4, 3, palette), None, 0
    clear = chunk(b"tRNS", bytes([0, 60, 200] + [255] * 6))
    yield "palette8-alpha.png", png(index, 8, 3, palette + clear), None, 1
    marked = chunk(b"tRNS", struct.pack(">HHH", *rgb[4, 7]))
    seen = rgb.copy()
    seen[(rgb == rgb[4, 7]).all(-1)] = 255
    yield "rgb8-transparent-colour.png", png(rgb, 8, 2, marked), seen, 0

    def icc_chunk(data):
        return chunk(b"iCCP", b"test\0\0" + zlib.compress(data))

    yield "rgb8-profile.png", png(rgb, 8, 2, icc_chunk(wide_rgb())), None, 2
    yield "rgba8-profile.png", png(rgba, 8, 6, icc_chunk(wide_rgb())), None, 2
    yield "grey8-profile.png", png(grey, 8, 0, icc_chunk(dark_grey())), None, 2
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    srgb = srgb[:24] + bytes(12) + srgb[36:]  # without the date, so that files come out equal
    yield "rgb8-srgb-profile.png", png(rgb, 8, 2, icc_chunk(srgb)), rgb, 0
    yield "rgb8-bad-profile.png", png(rgb, 8, 2, icc_chunk(b"no profile at all" * 9)), rgb, 0
    yield "rgb8-rotated.png", saved(colour, "PNG", exif=exif(6)), None, 0

    for name, options in {"444": {"subsampling": 0}, "422": {"subsampling": 1},
                          "420": {"subsampling": 2},
                          "progressive": {"progressive": True}}.items():
        yield f"rgb-{name}.jpg", saved(colour, "JPEG", quality=85, **options), None, 1
    yield "grey.jpg", saved(Image.fromarray(grey[..., 0]), "JPEG", quality=85), None, 0
    yield "grey-profile.jpg", saved(Image.fromarray(grey[..., 0]), "JPEG", quality=85,
                                    icc_profile=dark_grey()), None, 2
    inks = Image.fromarray(rgba, "CMYK")
    yield "cmyk.jpg", saved(inks, "JPEG", quality=85), None, 1
    yield "cmyk-profile.jpg", saved(inks, "JPEG", quality=85, icc_profile=ink()), None, 3
    yield "rgb-profile.jpg", saved(colour, "JPEG", quality=85, icc_profile=wide_rgb()), None, 2
    for orientation in range(1, 9):
        data = saved(colour, "JPEG", quality=85, exif=exif(orientation))
        yield f"rgb-orientation{orientation}.jpg", data, None, 1

    yield "lossy.webp", saved(colour, "WEBP", quality=85), None, 1
    yield "lossless.webp", saved(colour, "WEBP", lossless=True), None, 0
    yield "lossless-alpha.webp", saved(Image.fromarray(rgba), "WEBP", lossless=True, exact=True), None, 1
    yield "lossy-alpha.webp", saved(Image.fromarray(rgba), "WEBP", quality=85), None, 1
    yield "lossless-profile.webp", saved(colour, "WEBP", lossless=True, icc_profile=wide_rgb()), None, 2
    yield "lossless-rotated.webp", saved(colour, "WEBP", lossless=True, exif=exif(8)), None, 0


def write_ppm(path, pixels):
    height, width = pixels.shape[:2]
    path.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + np.ascontiguousarray(pixels).tobytes())


RESIZES = [(16, 16), (41, 13), (7, 31), (1, 1), (60, 5), (61, 20), (30, 47), (75, 56)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    folder = parser.parse_args().out / "image"
    folder.mkdir(parents=True, exist_ok=True)
    decoded, resized = [], []
    for name, data, seen, tolerance in cases():
        (folder / name).write_bytes(data)
        write_ppm(folder / f"{name}.seen.ppm", as_seen(data) if seen is None else seen)
        plain = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        write_ppm(folder / f"{name}.plain.ppm", plain)
        decoded.append({"file": name, "tolerance": tolerance})
    source = picture(61, 47, 3, 7).astype(np.uint8)
    source[10:20, 10:30] = 255  # hard edges, where cubic and Lanczos overshoot
    source[20:30, 10:30] = 0
    write_ppm(folder / "resize-source.ppm", source)
    for label, method in {"box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC,
                          "lanczos": Image.LANCZOS}.items():
        for width, height in RESIZES:
            name = f"resize-{label}-{width}x{height}.ppm"
            write_ppm(folder / name, np.asarray(Image.fromarray(source).resize((width, height), method)))
            resized.append({"file": name, "filter": label, "width": width, "height": height})
    index = {"made_by": "tools/oracle/image.py", "pillow": PIL.__version__, "numpy": np.__version__,
             "tolerance": "largest difference of an 8-bit value; 0 for resized pictures",
             "decoded": decoded, "resized": resized}
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")


main()
