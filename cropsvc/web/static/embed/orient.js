// EXIF orientation where a browser leaves it out: Chromium does for WebP. The service applies it.

import { ORIENTATION, tiffTags } from "./sniff.js";

// A WebP of 2 x 1 pixels that its EXIF turns to 1 x 2.
const PROBE = "data:image/webp;base64,UklGRlgAAABXRUJQVlA4WAoAAAAIAAAAAQAAAAAAVlA4IBgAAAAwAQCdASoCAAEADMDOJaQAA3AA/uxnAABFWElGGgAAAE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA";
const HAS_EXIF = 0x08; // in the flags of the VP8X chunk

// Where the image's unit vectors and origin go, for each orientation, in units of its sides.
const TURNS = {
  2: [-1, 0, 0, 1, 1, 0], 3: [-1, 0, 0, -1, 1, 1], 4: [1, 0, 0, -1, 0, 1], 5: [0, 1, 1, 0, 0, 0],
  6: [0, 1, -1, 0, 1, 0], 7: [0, -1, -1, 0, 1, 1], 8: [0, -1, 1, 0, 0, 1],
};

/** The image's URL to show it upright: its own, or that of a turned copy for the screen. */
export async function upright(source, image) {
  if (source.format !== "webp" || await browserTurns()) return source.url;
  const file = source.file || await (await fetch(source.url)).blob();
  const turn = TURNS[await webpOrientation(file)];
  return turn ? turned(image, turn) : source.url;
}

async function browserTurns() {
  const image = new Image();
  image.src = PROBE;
  await image.decode().catch(() => null);
  return image.naturalHeight > image.naturalWidth;
}

/** A file's pixels as the service counts them: upright and stored ones. Needs no CSP rule for images. */
export async function bitmapOf(file, format) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const turn = format === "webp" && !await bitmapsTurn() ? TURNS[await webpOrientation(file)] : null;
  if (!turn) return bitmap;
  const turned = await createImageBitmap(canvasOf(bitmap, { w: bitmap.width, h: bitmap.height }, turn));
  bitmap.close();
  return turned;
}

async function bitmapsTurn() {
  const bytes = Uint8Array.from(atob(PROBE.split(",")[1]), (char) => char.charCodeAt(0));
  const probe = await createImageBitmap(new Blob([bytes], { type: "image/webp" }), { imageOrientation: "from-image" });
  return probe.height > probe.width;
}

/** The orientation in a WebP's EXIF chunk, 1 if there is none. */
async function webpOrientation(file) {
  const bytes = async (start, length) => new DataView(await file.slice(start, start + length).arrayBuffer());
  const first = await bytes(12, 9);
  if (first.byteLength < 9 || first.getUint32(0) !== 0x56503858 || !(first.getUint8(8) & HAS_EXIF)) return 1;
  for (let at = 12; at + 8 <= file.size;) {
    const head = await bytes(at, 8);
    const size = head.getUint32(4, true);
    if (head.getUint32(0) === 0x45584946) return exifOrientation(file.slice(at + 8, at + 8 + size));
    at += 8 + size + (size % 2);
  }
  return 1;
}

async function exifOrientation(exif) {
  const prefixed = (await exif.slice(0, 4).text()) === "Exif"; // some writers put JPEG's header first
  return (await tiffTags(prefixed ? exif.slice(6) : exif))[ORIENTATION] || 1;
}

async function turned(image, turn) {
  const canvas = canvasOf(image, { w: image.naturalWidth, h: image.naturalHeight }, turn);
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/webp", 0.9); });
  return URL.createObjectURL(blob);
}

function canvasOf(image, { w, h }, [a, b, c, d, e, f]) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = a ? [w, h] : [h, w];
  const context = canvas.getContext("2d");
  context.setTransform(a, b, c, d, e * canvas.width, f * canvas.height);
  context.drawImage(image, 0, 0);
  return canvas;
}
