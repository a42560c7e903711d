// EXIF density: where the resolution of a JPEG fits its stated size, Chromium shows it at that
// size. Boxes are in stored pixels, so the stage gets a copy that has them.

import { ORIENTATION, tiffTags } from "../embed/sniff.js";

const EXIF = 0x45786966; // "Exif"
const MOST_WEBP = 16383; // pixels per side
const FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** The image's URL to show it in stored pixels: its own, that of a copy, or null if neither can be. */
export async function inStoredPixels(source, image) {
  const fits = ({ w, h }) => w === image.naturalWidth && h === image.naturalHeight;
  if (source.format !== "jpeg") return source.url;
  const expected = source.size || await jpegSize(source.file);
  if (!expected || fits(expected)) return source.url;
  const pixels = await createImageBitmap(image); // upright, and without the density
  const size = { w: pixels.width, h: pixels.height };
  return fits(size) ? source.url : copyOf(pixels, size);
}

async function copyOf(pixels, { w, h }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [w, h];
  canvas.getContext("2d").drawImage(pixels, 0, 0);
  pixels.close();
  const type = Math.max(w, h) > MOST_WEBP ? "image/jpeg" : "image/webp";
  const blob = await new Promise((done) => { canvas.toBlob(done, type, 0.9); });
  return blob && URL.createObjectURL(blob);
}

/** A JPEG's displayed size, by its frame and the orientation before it; or null. */
export async function jpegSize(file) {
  let turn = 1;
  for (let at = 2; at + 4 <= file.size;) {
    const head = new DataView(await file.slice(at, at + 9).arrayBuffer());
    if (head.byteLength < 9 || head.getUint8(0) !== 0xff) return null;
    const marker = head.getUint8(1);
    if (FRAMES.has(marker)) {
      const [w, h] = [head.getUint16(7), head.getUint16(5)];
      return turn >= 5 ? { w: h, h: w } : { w, h };
    }
    const isExif = marker === 0xe1 && head.getUint32(4) === EXIF;
    if (isExif) turn = (await tiffTags(file.slice(at + 10, at + 2 + head.getUint16(2))))[ORIENTATION] || 1;
    at += marker === 0xff ? 1 : 2 + head.getUint16(2);
  }
  return null;
}
