"""PNG's chunks as Pillow reads them, where its own reading is not ours."""

from PIL import PngImagePlugin

# How Pillow makes 8 bits of the samples it reads in these raw modes. It leaves the transparent
# value as stored, where no pixel would meet it.
TO_EIGHT_BITS = {
    "L;2": lambda value: (value & 3) * 85,
    "L;4": lambda value: (value & 15) * 17,
    # The high byte alone is kept of 16 bits: a pixel that shares it with the transparent colour
    # cannot be told from it, and becomes transparent too.
    "RGB;16B": lambda value: value >> 8,
}


class ChunkStream(PngImagePlugin.PngStream):
    """Pillow's reader of chunks, mended."""

    def chunk_tRNS(self, pos: int, length: int) -> bytes:
        """The transparent value, as the pixels will have it."""
        body = super().chunk_tRNS(pos, length)
        scaled = TO_EIGHT_BITS.get(self.im_rawmode)
        key = self.im_info.get("transparency")
        if scaled and isinstance(key, tuple):
            self.im_info["transparency"] = tuple(scaled(value) for value in key)
        elif scaled and isinstance(key, int):
            self.im_info["transparency"] = scaled(key)
        return body
