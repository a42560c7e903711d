// What a chosen file is, by its first bytes, before anything is uploaded.

export const ORIENTATION = 274;

const ascii = (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end));

const SIGNS = [
  ["jpeg", (b) => b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff],
  ["png", (b) => ascii(b, 0, 8) === "\x89PNG\r\n\x1a\n"],
  ["gif", (b) => /^GIF8[79]a/.test(ascii(b, 0, 6))],
  ["webp", (b) => ascii(b, 0, 4) === "RIFF" && ascii(b, 8, 12) === "WEBP"],
  ["avif", (b) => ascii(b, 4, 8) === "ftyp" && /avi[fs]/.test(ascii(b, 8, 32))],
  ["heif", (b) => ascii(b, 4, 8) === "ftyp" && /hei[cxms]|hev[cx]|mif1/.test(ascii(b, 8, 32))],
  ["tiff", (b) => ["II*\0", "MM\0*"].includes(ascii(b, 0, 4))],
  ["bmp", (b) => ascii(b, 0, 2) === "BM"],
];

/** The format's name, or null. */
export async function formatOf(file) {
  const head = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  const sign = SIGNS.find(([, is]) => is(head));
  return sign ? sign[0] : null;
}

/** A TIFF's displayed size, for browsers that cannot show it; or null. */
export async function tiffSize(file) {
  const tags = await tiffTags(file);
  const [w, h] = [tags[256], tags[257]];
  if (!w || !h) return null;
  return tags[ORIENTATION] >= 5 ? { w: h, h: w } : { w, h };
}

/** The numbers of the first directory of a TIFF, or of EXIF data, by their tag. */
export async function tiffTags(file) {
  if (file.size < 8) return {};
  const head = new DataView(await file.slice(0, 8).arrayBuffer());
  const little = head.getUint16(0) === 0x4949;
  const start = head.getUint32(4, little);
  const data = new DataView(await file.slice(start, start + 6 + 12 * 200).arrayBuffer());
  if (data.byteLength < 2) return {};
  const tags = {};
  const count = Math.min(data.getUint16(0, little), Math.floor((data.byteLength - 2) / 12));
  for (let i = 0; i < count; i += 1) {
    const at = 2 + 12 * i;
    const short = data.getUint16(at + 2, little) === 3;
    tags[data.getUint16(at, little)] = short ? data.getUint16(at + 8, little) : data.getUint32(at + 8, little);
  }
  return tags;
}

/** A stand-in image of that size, for a format the browser cannot show. */
export function placeholder(size, text) {
  const font = Math.round(Math.min(size.w, size.h) / 14);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.w}" height="${size.h}">`
    + `<rect width="100%" height="100%" fill="#8a949e"/>`
    + `<text x="50%" y="50%" fill="#fff" font-family="sans-serif" font-size="${font}" text-anchor="middle">${text}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
