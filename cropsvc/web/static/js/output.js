// What comes out: size, format, quality; as request parameters and as a curl line.

import { covering, outputSize } from "./geometry.js";
import { byId } from "./words.js";

const AUTO = { jpeg: "jpeg", png: "png", webp: "webp", avif: "avif", gif: "gif", bmp: "png", tiff: "png" };
const QUALITY = { jpeg: 82, webp: 82, avif: 60 };

export class Output {
  constructor(changed) {
    this.last = "w";
    this.quality = null; // null: the service's own default
    for (const id of ["lock", "fit", "format"]) byId(id).addEventListener("change", changed);
    byId("size-w").addEventListener("input", () => { this.typed("w"); changed(); });
    byId("size-h").addEventListener("input", () => { this.typed("h"); changed(); });
    byId("quality").addEventListener("input", () => { this.quality = Number(byId("quality").value); changed(); });
  }

  // With the lock on, the side typed last decides and the other one follows.
  typed(side) {
    this.last = side;
    if (byId("lock").checked) byId(side === "w" ? "size-h" : "size-w").value = "";
  }

  get sides() {
    const read = (id) => { const n = Math.round(Number(byId(id).value)); return n > 0 ? n : null; };
    return { width: read("size-w"), height: read("size-h"), locked: byId("lock").checked, last: this.last };
  }

  /** The format that will be written for a source of this one. */
  format(source) {
    const chosen = byId("format").value;
    return chosen === "auto" ? AUTO[source] || "png" : chosen;
  }

  /** Bring the fields into line with the active box. */
  draw(box, source) {
    const { width, height, locked } = this.sides;
    const size = outputSize(box, this.sides);
    byId("size-w").placeholder = size.w;
    byId("size-h").placeholder = size.h;
    byId("fit-row").hidden = locked || !width || !height;
    const usual = QUALITY[this.format(source)];
    byId("quality").disabled = !usual;
    byId("quality").value = this.quality ?? usual ?? 100;
    byId("quality-value").textContent = usual ? this.quality ?? usual : "–";
  }

  /** The text that says what will be cut and what it becomes. */
  summary(box, source) {
    const { width, height, locked } = this.sides;
    const size = outputSize(box, this.sides);
    const covers = !locked && width && height && byId("fit").value === "cover";
    const { x, y, w, h } = covers ? covering(box, size) : box;
    return `${w} × ${h} at ${x}, ${y} → ${size.w} × ${size.h} ${this.format(source).toUpperCase()}`;
  }

  /** The parameters of docs/reference/http-api.md, defaults left out. */
  parameters(source) {
    const { width, height, locked, last } = this.sides;
    const pairs = {};
    if (locked && width && height) pairs.size = last === "w" ? `${width}x` : `x${height}`;
    else if (width || height) pairs.size = `${width || ""}x${height || ""}`;
    if (!locked && width && height && byId("fit").value !== "stretch") pairs.fit = byId("fit").value;
    if (byId("format").value !== "auto") pairs.format = byId("format").value;
    if (this.quality && QUALITY[this.format(source)]) pairs.quality = this.quality;
    return pairs;
  }
}

/** All parameters of one request: boxes, rotation, output. */
export function request(boxes, rotation, output) {
  const box = ({ x, y, w, h }) => `${x},${y},${w},${h}`;
  const pairs = { ...output };
  if (rotation) pairs.rotate = rotation;
  if (boxes.length === 1) pairs.box = box(boxes[0]);
  else pairs.outputs = JSON.stringify(boxes.map((one, index) => ({ name: `${index + 1}`, box: box(one) })));
  return pairs;
}

/** The same request as a command for a POSIX shell. */
export function curl(url, pairs, file, format) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const name = /^[\w.-]+$/.test(file) ? file : "picture";
  const form = Object.entries(pairs).map(([key, value]) => `  -F ${quoted(`${key}=${value}`)}`);
  const lines = [`curl -F image=@${name}`, ...form];
  if (!pairs.outputs) lines.push(`  -H 'Accept: image/*' -o crop.${format === "jpeg" ? "jpg" : format}`);
  lines.push(`  ${quoted(pairs.outputs ? url : `${url}?wait=30`)}`);
  return lines.join(" \\\n");
}
