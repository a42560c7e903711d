// The images of this visit, and the one that is on the stage.

import { initial, refitted, shaped, turnedFrame } from "../embed/geometry.js";
import { t } from "./language.js";
import { request } from "./output.js";
import { servicePreview } from "./preview.js";
import { preview } from "./source.js";
import { suggestion } from "./suggest.js";
import { losses, traits } from "./traits.js";
import { byId, bytes, flash, formatName } from "./words.js";

const app = byId("app");
const ANCHOR = "faces" in app.dataset ? "face" : "smart";
const UNIT = { w: 1, h: 1 };
const PREPARING = {
  sent: (part) => t("preview.sent", { percent: Math.round(part * 100) }),
  made: () => t("preview.made"),
  away: () => t("batch.away"),
};

export class Editor {
  constructor({ stage, boxes, output, changed }) {
    Object.assign(this, { stage, boxes, output, changed, items: [], current: null, turn: 0 });
    boxes.shaping.after = () => this.suggest();
  }

  get many() {
    return this.items.length > 1;
  }

  /** Bring an item onto the stage; throws an Error with a text, and the stage stays as it was. */
  async open(item) {
    const turn = this.turn += 1;
    const { source } = item;
    const { maxPixels, maxSourcePixels } = app.dataset;
    const most = Number(source.format === "jpeg" ? maxSourcePixels : maxPixels); // a JPEG may be decoded smaller
    let url;
    try { url = await this.shown(source, most); } catch (error) {
      if (turn !== this.turn) return; // another one was chosen since
      throw error;
    }
    item.traits ||= await traits(source).catch(() => ({}));
    if (turn !== this.turn) return;
    this.keep();
    this.current = item;
    view("edit");
    this.describe(source);
    this.stage.turn(0, 0, source.size);
    const layout = item.layout || this.begun(item);
    const lying = layout.rotation % 180 && !layout.tilt;
    this.stage.shape(lying ? { w: source.size.h, h: source.size.w } : source.size);
    await this.stage.load(url);
    if (this.boxes.ratio) this.stage.setRatio(this.boxes.ratio);
    this.boxes.start(source.size, { ...layout, boxes: this.fitting(layout) });
    this.suggest();
  }

  // The image as this browser shows it, or as the service does.
  async shown(source, most) {
    this.looking?.abort();
    const { signal } = this.looking = new AbortController();
    const { api, ready } = app.dataset;
    const ask = (one) => {
      prepare(t("preview.begun"));
      return servicePreview(one, { api, ready, signal, told: (what, how) => prepare(PREPARING[what](how)) });
    };
    try { return await preview(source, most, ask); } finally { if (!signal.aborted) prepare(""); }
  }

  /** Remember the boxes of the item on the stage. */
  keep() {
    if (this.current && this.boxes.box) this.current.layout = this.boxes.layout;
  }

  /** Give up the memory of items that are no longer shown. */
  release(items) {
    for (const { source } of items) {
      if (source === this.current?.source) continue;
      for (const url of [source.url, source.shown]) if (url?.startsWith("blob:")) URL.revokeObjectURL(url);
    }
  }

  describe({ name, size, format, bytes: count }) {
    byId("source-name").textContent = name || t("stage.original");
    byId("source-facts").textContent = `${size.w} × ${size.h} · ${formatName(format)} · ${bytes(count)}`;
  }

  // The boxes of an item that nobody has changed: in a batch all that fits.
  begun({ source: { size }, fraction }) {
    if (fraction) return { boxes: [refitted(fraction, UNIT, size)] };
    if (!this.many) return { boxes: [] };
    const { ratio } = this.boxes;
    return { boxes: [ratio ? initial(size, ratio) : { x: 0, y: 0, ...size }] };
  }

  // A layout that was made with another shape.
  fitting({ boxes = [], size }) {
    return size && this.many ? boxes.map((box) => shaped(box, this.boxes.ratio, size)) : boxes;
  }

  // Show where the service will put the box, until the user moves it.
  async suggest() {
    const item = this.current;
    const { aspect } = this.boxes.shaping;
    this.asking?.abort();
    if (!item || !this.many || this.boxes.touched || item.fraction) return;
    if (!aspect) return this.boxes.list[0].w !== this.boxes.size.w && this.boxes.start(item.source.size, this.begun(item));
    this.asking = new AbortController();
    const region = await suggestion(item.source, aspect, ANCHOR, this.asking.signal);
    const same = item === this.current && aspect === this.boxes.shaping.aspect && !this.boxes.touched;
    if (region && same) this.boxes.start(item.source.size, { boxes: [region] });
  }

  /** Bring the settings' fields and texts into line. */
  draw() {
    const { source } = this.current;
    this.output.draw(this.boxes.box, source.format);
    byId("summary").textContent = this.output.summary(this.boxes.box, source.format);
    byId("losses").textContent = losses(this.current.traits || {}, this.output.format(source.format));
  }

  /** The parameters for one of many items: its own boxes, or where the service puts them. */
  pairs(item) {
    const { ratio, shaping: { aspect } } = this.boxes;
    const output = this.sized(this.output.parameters(item.source.format), ratio);
    const { layout, fraction } = item;
    if (layout?.touched) {
      return request(this.fitting(layout), Math.round((layout.rotation + layout.tilt) * 100) / 100, output);
    }
    const percent = (value) => `${(value * 100).toFixed(4)}%`;
    if (fraction) output.box = [fraction.x, fraction.y, fraction.w, fraction.h].map(percent).join(",");
    else if (aspect) output.anchor = ANCHOR;
    if (aspect) output.aspect = aspect;
    return output;
  }

  // With a shape, one side of the size decides the other one, for all images alike.
  sized(output, ratio) {
    const [width, height] = (output.size || "").split("x").map(Number);
    if (!ratio || Boolean(width) === Boolean(height)) return output;
    const sides = width ? [width, width / ratio] : [height * ratio, height];
    return { ...output, size: sides.map((side) => Math.max(1, Math.round(side))).join("x") };
  }

  /** What a result can be compared with, or null; what was padded has no place in the original. */
  get original() {
    const { asked, source } = this.current || {};
    if (!asked || asked.preset || asked.fit === "contain" || !source.shown?.startsWith("blob:")) return null;
    const angle = Number(asked.rotate || 0);
    return { url: source.shown, size: source.size, angle, frame: turnedFrame(source.size, angle) };
  }

  /** Use the box on the stage for all images, as a part of each. */
  applyToAll(button) {
    const { box, size } = this.boxes;
    const fraction = { x: box.x / size.w, y: box.y / size.h, w: box.w / size.w, h: box.h / size.h };
    for (const item of this.items) if (item !== this.current) Object.assign(item, { fraction, layout: null });
    this.boxes.touched = true;
    flash(button, t("box.applied"));
  }
}

function prepare(text) {
  byId("preparing").textContent = text;
  byId("preparing").hidden = !text;
}

function view(name) {
  app.dataset.view = name;
  byId("drop").hidden = name === "edit";
  byId("editor").hidden = name !== "edit";
  byId("settings").hidden = name !== "edit";
}
