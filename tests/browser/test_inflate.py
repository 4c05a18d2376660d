"""How the explorer unpacks its images, against zlib."""

import base64
import json
import zlib

import numpy as np
import pytest

rng = np.random.default_rng(0)
NOISE = rng.integers(256, size=70_000, dtype=np.uint8).tobytes()
# As images: mostly blank, with repeats both near and as far back as DEFLATE reaches.
INK = (rng.integers(256, size=40_000) * (rng.random(40_000) < 0.2)).astype(np.uint8).tobytes()
CONTENTS = {
    "nothing": b"",
    "a byte": b"\x07",
    "noise": NOISE,  # stored as it is
    "ink": INK + NOISE[:30_000] + INK[-2000:],
    "blank": bytes(300_000),
    "all distances": b"".join(NOISE[:n] + NOISE[:40] for n in (1, 2, 3, 9, 70, 999, 9999, 32_700)),
    "text": b"a quick brown fox " * 3 + b"jumps",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_what_deflate_packed_is_unpacked(digits_page, name):
    content = CONTENTS[name]
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED, zlib.Z_RLE):
        for level in (0, 1, 9):
            packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
            packed = base64.b64encode(packer.compress(content) + packer.flush()).decode()
            script = f"""() => {{
              const out = inflate(bytes({json.dumps(packed)}), {len(content)});
              let text = "";
              for (const byte of out) text += String.fromCharCode(byte);
              return btoa(text);
            }}"""
            assert base64.b64decode(digits_page.evaluate(script)) == content
