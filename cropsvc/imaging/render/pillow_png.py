"""PNG's chunks as Pillow reads them, where its own reading is not ours."""

from typing import IO, cast

from PIL import ImageFile, PngImagePlugin

# How Pillow makes 8 bits of the samples it reads in these raw modes. It leaves the transparent
# value as stored, where no pixel would meet it.
TO_EIGHT_BITS = {
    "L;2": lambda value: (value & 3) * 85,
    "L;4": lambda value: (value & 15) * 17,
    # The high byte alone is kept of 16 bits: a pixel that shares it with the transparent colour
    # looks the same as it, and becomes transparent too.
    "RGB;16B": lambda value: value >> 8,
}


class ChunkStream(PngImagePlugin.PngStream):
    """Pillow's reader of chunks, with repairs."""

    def chunk_tRNS(self, pos: int, length: int) -> bytes:
        """Return the transparent value, as the pixels will have it."""
        body = super().chunk_tRNS(pos, length)
        scaled = TO_EIGHT_BITS.get(self.im_rawmode)
        key = self.im_info.get("transparency")
        if scaled and isinstance(key, tuple):
            self.im_info["transparency"] = tuple(scaled(value) for value in key)
        elif scaled and isinstance(key, int):
            self.im_info["transparency"] = scaled(key)
        return body

    def chunk_iCCP(self, pos: int, length: int) -> bytes:
        """Return the profile; one beyond Pillow's bound is ignored as a broken one is."""
        try:
            return super().chunk_iCCP(pos, length)
        except ValueError:
            return self._body(pos, length)

    def chunk_tEXt(self, pos: int, length: int) -> bytes:
        """Only that there is a text: it is dropped, so it need not be unpacked, however large."""
        self.im_info["text"] = True
        return self._body(pos, length)

    chunk_zTXt = chunk_iTXt = chunk_tEXt

    def _body(self, pos: int, length: int) -> bytes:
        stream = cast("IO[bytes]", self.fp)
        stream.seek(pos)
        return ImageFile._safe_read(stream, length)
