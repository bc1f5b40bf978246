"""Pictures for tests."""

from __future__ import annotations

import io

import av
import numpy as np


def picture(codec: str, width: int = 320, height: int = 200, *, lossless: bool = False) -> bytes:
    """A grey picture, by FFmpeg."""
    file = io.BytesIO()
    with av.open(file, "w", format="image2pipe") as container:
        stream = container.add_stream(codec, 1, {"lossless": "1"} if lossless else {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = width, height
        stream.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24", "libwebp": "yuv420p"}[codec]
        frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 128, np.uint8), "rgb24")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()
