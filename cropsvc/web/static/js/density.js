// EXIF density: where the resolution of a JPEG fits its stated size, Chromium shows it at that
// size. Boxes are in stored pixels, so the stage gets a copy that has them.

const FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** The image's URL to show it in stored pixels: its own, or that of a copy. */
export async function inStoredPixels(source, image) {
  if (source.format !== "jpeg") return source.url;
  const { naturalWidth: w, naturalHeight: h } = image;
  const stored = source.size || await jpegSize(source.file);
  if (!stored || (stored.w === w && stored.h === h) || (stored.w === h && stored.h === w)) return source.url;
  const pixels = await createImageBitmap(image); // upright, and without the density
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [pixels.width, pixels.height];
  canvas.getContext("2d").drawImage(pixels, 0, 0);
  pixels.close();
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/webp", 0.9); });
  return blob ? URL.createObjectURL(blob) : source.url;
}

/** A JPEG's stored size, before its orientation; or null. */
export async function jpegSize(file) {
  for (let at = 2; at + 4 <= file.size;) {
    const head = new DataView(await file.slice(at, at + 9).arrayBuffer());
    if (head.byteLength < 9 || head.getUint8(0) !== 0xff) return null;
    const marker = head.getUint8(1);
    if (FRAMES.has(marker)) return { w: head.getUint16(7), h: head.getUint16(5) };
    at += marker === 0xff ? 1 : 2 + head.getUint16(2);
  }
  return null;
}
