// What comes out: size, format, quality; as request parameters and as a curl line.

import { covering, outputSize } from "../embed/geometry.js";
import { t } from "./language.js";
import { byId } from "./words.js";

const FIELDS = ["size-w", "size-h", "max-bytes"];

export class Output {
  constructor(changed) {
    this.last = "w";
    this.quality = null; // null: the service's own default
    for (const id of ["lock", "fit", "format", "lossless", "hdr", "copyright"]) byId(id).addEventListener("change", changed);
    byId("more").addEventListener("click", () => this.more(byId("more-settings").hidden));
    byId("max-bytes").addEventListener("input", changed);
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
    const read = (id) => { const n = Number(byId(id).value); return n > 0 && byId(id).validity.valid ? n : null; };
    return { width: read("size-w"), height: read("size-h"), locked: byId("lock").checked, last: this.last };
  }

  /** The first field whose number the service would refuse, or undefined. */
  get wrong() {
    const found = FIELDS.map(byId).find((field) => !field.disabled && !field.validity.valid);
    if (found?.id === "max-bytes") this.more(true);
    return found;
  }

  /** All settings, as `restore` takes them. */
  get settings() {
    const { width, height, locked } = this.sides;
    return {
      width, height, locked, fit: byId("fit").value, format: byId("format").value, quality: this.quality,
      lossless: byId("lossless").checked, hdr: byId("hdr").checked, copyright: byId("copyright").checked,
      maxBytes: byId("max-bytes").value ? Math.round(Number(byId("max-bytes").value) * 1000) : null,
    };
  }

  more(open) {
    byId("more-settings").hidden = !open;
    byId("more").setAttribute("aria-expanded", open);
  }

  restore({ width, height, locked, fit, format, quality, lossless, hdr, copyright, maxBytes }) {
    byId("size-w").value = width || "";
    byId("size-h").value = height || "";
    byId("lock").checked = locked !== false;
    byId("fit").value = fit || "cover";
    byId("format").value = format || "auto";
    byId("lossless").checked = Boolean(lossless);
    byId("hdr").checked = Boolean(hdr);
    byId("copyright").checked = Boolean(copyright);
    byId("max-bytes").value = maxBytes ? maxBytes / 1000 : "";
    this.last = height && !width ? "h" : "w";
    this.quality = quality || null;
    if (lossless || hdr || copyright || maxBytes) this.more(true);
  }

  /** The format that will be written for a source of this one. */
  format(source) {
    const chosen = byId("format").value;
    return chosen === "auto" ? JSON.parse(byId("format").dataset.auto)[source] || source : chosen;
  }

  // The quality that counts when none is chosen; undefined where quality has no effect.
  usual(source) {
    const format = this.format(source);
    if (format === "webp" && byId("lossless").checked) return undefined;
    return Number([...byId("format").options].find((one) => one.value === format)?.dataset.quality) || undefined;
  }

  /** Bring the fields into line with the active box. */
  draw(box, source) {
    const { width, height, locked } = this.sides;
    const size = outputSize(box, this.sides);
    byId("size-w").placeholder = size.w;
    byId("size-h").placeholder = size.h;
    byId("fit-row").hidden = locked || !width || !height;
    byId("lossless-row").hidden = this.format(source) !== "webp";
    byId("hdr-row").hidden = source !== "jpeg" || this.format(source) !== "jpeg";
    const usual = this.usual(source);
    byId("max-bytes").disabled = !usual;
    byId("quality").disabled = !usual;
    byId("quality").value = this.quality ?? usual ?? 100;
    byId("quality-value").textContent = usual ? this.quality ?? usual : "–";
    for (const field of FIELDS.map(byId)) this.complain(field);
  }

  // A number that the service would refuse is refused where it was typed.
  complain(field) {
    const note = byId(`${field.id}-wrong`);
    const bad = !field.disabled && !field.validity.valid;
    const { id, min, max } = field;
    note.textContent = bad ? t(id === "max-bytes" ? "range.kilobytes" : "range.pixels", { min, max }) : "";
    field.toggleAttribute("aria-invalid", bad);
    if (bad) field.setAttribute("aria-invalid", "true");
  }

  /** The text that says what will be cut and what it becomes. */
  summary(box, source) {
    const { width, height, locked } = this.sides;
    const size = outputSize(box, this.sides);
    const covers = !locked && width && height && byId("fit").value === "cover";
    const region = covers ? covering(box, size) : box;
    return t("summary", { ...region, width: size.w, height: size.h, format: this.format(source).toUpperCase() });
  }

  /** The parameters of docs/reference/http-api.md, defaults left out. */
  parameters(source) {
    const { width, height, locked, last } = this.sides;
    const { format, maxBytes, copyright, lossless, hdr } = this.settings;
    const usual = this.usual(source);
    const pairs = {};
    if (locked && width && height) pairs.size = last === "w" ? `${width}x` : `x${height}`;
    else if (width || height) pairs.size = `${width || ""}x${height || ""}`;
    if (!locked && width && height && byId("fit").value !== "stretch") pairs.fit = byId("fit").value;
    if (format !== "auto") pairs.format = format;
    if (this.quality && usual) pairs.quality = this.quality;
    if (lossless && this.format(source) === "webp") pairs.lossless = "true";
    if (hdr && source === "jpeg" && this.format(source) === "jpeg") pairs.hdr = "keep";
    if (maxBytes && usual) pairs.max_bytes = maxBytes;
    if (copyright) pairs.metadata = "copyright";
    return pairs;
  }
}

/** All parameters of one request: boxes, rotation, output. */
export function request(boxes, angle, output) {
  const box = ({ x, y, w, h }) => `${x},${y},${w},${h}`;
  const pairs = { ...output };
  if (angle) pairs.rotate = angle;
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
