// The boxes of one image: the list, the fields, the shape, the keys.

import { edited, initial, inside, nudged, refitted, shaped, turned, turnedFrame } from "../embed/geometry.js";
import { t } from "./language.js";
import { boxOf } from "./restore.js";
import { Shape } from "./shape.js";
import { announce, byId } from "./words.js";

const FIELDS = { "box-x": "x", "box-y": "y", "box-w": "w", "box-h": "h" };
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MOST = 16; // outputs of one job

export class Boxes {
  /** `changed()` is called after each change; the stage draws what stands here. */
  constructor(stage, changed) {
    this.shaping = new Shape(() => this.reshape());
    this.touched = false; // whether the boxes are the user's own
    Object.assign(this, { stage, changed, list: [], active: 0, rotation: 0, tilt: 0, natural: { w: 1, h: 1 } });
    this.measure();
    for (const id of Object.keys(FIELDS)) this.field(id);
    byId("add").addEventListener("click", () => this.add());
    byId("remove").addEventListener("click", () => this.remove());
    byId("reset").addEventListener("click", () => this.reset());
    byId("left").addEventListener("click", () => this.turn(3));
    byId("right").addEventListener("click", () => this.turn(1));
    for (const id of ["tilt", "tilt-value"]) byId(id).addEventListener("input", ({ target }) => this.tilted(target));
    byId("stage").addEventListener("keydown", (event) => this.key(event));
  }

  get box() {
    return this.list[this.active];
  }

  get ratio() {
    return this.shaping.ratio;
  }

  /** What `start` takes to bring all of it back. */
  get layout() {
    const { list, rotation, tilt, touched, size } = this;
    return { boxes: [...list], rotation, tilt, touched, size };
  }

  /** Start with an image of this size (before rotation), and these boxes if any. */
  start(natural, { boxes = [], rotation = 0, tilt = 0, touched = false } = {}) {
    Object.assign(this, { natural, rotation, tilt, touched, active: 0 });
    this.measure();
    this.list = boxes.length ? boxes.map((box) => inside(box, this.size)) : [initial(this.size, this.ratio)];
    this.draw({ refit: true });
  }

  /** Degrees clockwise, as the parameter `rotate`. */
  get angle() {
    return Math.round((this.rotation + this.tilt) * 100) / 100;
  }

  // What the box refers to: the image, upright or turned, or the frame in the tilted image.
  measure() {
    const { natural, tilt } = this;
    this.size = turnedFrame(natural, this.angle);
    this.shape = tilt ? natural : this.size;
  }

  /** Tilt the image, in degrees; the boxes keep their part of the frame. */
  lean(degrees) {
    const from = this.level || { size: this.size, list: this.list, shape: this.shape };
    this.tilt = degrees;
    this.touched = true;
    this.measure();
    this.list = from.list.map((box) => shaped(refitted(box, from.size, this.size), this.ratio, this.size));
    this.draw({ refit: from.shape.w !== this.shape.w });
    this.level = from; // so that a slider's many steps do not add up their roundings
  }

  /** Tilt the image so that a line that is off level by this much becomes level. */
  straighten(off) {
    this.level = null;
    this.lean(Math.min(45, Math.max(-45, Math.round((this.tilt - off) * 10) / 10)));
    announce(t("box.straightened", { degrees: this.tilt }));
  }

  /** Take over the box of a preset, as a request writes it. */
  take(text) {
    if (!this.box) return;
    this.stage.setRatio(this.ratio);
    this.list = [inside(boxOf(text, this.size), this.size)];
    this.active = 0;
    this.touched = true;
    this.draw();
  }

  /** The user's hand on the stage. */
  heard(box, settled) {
    this.level = null;
    this.touched = true;
    this.list[this.active] = box;
    this.fields();
    if (settled) this.tell();
    this.changed();
  }

  pick(index) {
    this.active = index;
    this.draw();
    this.tell();
  }

  add() {
    this.touched = true;
    const { x, y, w, h } = this.box;
    const step = Math.max(1, Math.round(Math.min(this.size.w, this.size.h) / 20));
    this.list.push(inside({ x: x + step, y: y + step, w: Math.min(w, this.size.w * 0.6), h: Math.min(h, this.size.h * 0.6) }, this.size));
    this.active = this.list.length - 1;
    this.list[this.active] = shaped(this.box, this.ratio, this.size);
    this.draw();
    this.tell();
  }

  remove() {
    this.touched = true;
    this.list.splice(this.active, 1);
    this.active = Math.max(0, this.active - 1);
    this.draw();
    announce(t("box.removed", { count: this.list.length }));
    byId("boxes").children[this.active]?.focus();
  }

  reset() {
    this.shaping.set("");
    this.reshape();
    this.start(this.natural);
    announce(t("box.reset"));
  }

  turn(quarters) {
    this.touched = true;
    const before = this.size;
    for (let i = 0; i < quarters; i += 1) {
      const size = i % 2 ? { w: before.h, h: before.w } : before;
      this.list = this.list.map((box) => turned(box, size));
    }
    this.rotation = (this.rotation + quarters * 90) % 360;
    this.measure();
    const after = quarters % 2 ? { w: before.h, h: before.w } : before;
    this.list = this.list.map((box) => refitted(box, after, this.size));
    this.list[this.active] = shaped(this.box, this.ratio, this.size);
    this.draw({ refit: true });
    announce(t("box.rotated", { degrees: this.rotation }));
  }

  reshape() {
    this.stage.setRatio(this.ratio);
    if (!this.box) return;
    this.list[this.active] = shaped(this.box, this.ratio, this.size);
    this.draw();
  }

  key(event) {
    const steps = KEYS[event.key];
    if (["+", "=", "-"].includes(event.key) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.stage.zoomBy(event.key === "-" ? 1 / 1.25 : 1.25);
    }
    if (!steps || event.ctrlKey || event.metaKey || this.stage.frozen) return;
    event.preventDefault();
    this.touched = true;
    const length = event.shiftKey ? 10 : 1;
    const move = steps.map((step) => step * length);
    this.list[this.active] = nudged(this.box, move, { resize: event.altKey, ratio: this.ratio, size: this.size });
    this.draw();
    this.tell();
  }

  field(id) {
    const input = byId(id);
    const apply = () => {
      const value = Math.round(Number(input.value));
      if (input.value === "" || !Number.isFinite(value)) return;
      this.touched = true;
      this.list[this.active] = edited(this.box, FIELDS[id], value, this.ratio, this.size);
      this.draw({ except: input });
    };
    input.addEventListener("input", apply);
    input.addEventListener("change", () => this.fields()); // what was clamped shows
  }

  draw({ refit = false, except = null } = {}) {
    this.level = null;
    if (refit) this.stage.shape(this.shape);
    this.stage.turn(this.rotation, this.tilt, this.size);
    this.stage.show(this.list, this.active, { refit });
    this.fields(except);
    this.chooser();
    this.changed();
  }

  fields(except = null) {
    for (const [id, name] of Object.entries(FIELDS)) {
      if (byId(id) !== except) byId(id).value = this.box[name];
    }
    for (const id of ["tilt", "tilt-value"]) {
      if (byId(id) !== document.activeElement || Number(byId(id).value) !== this.tilt) byId(id).value = this.tilt;
    }
    byId("box-x").max = this.size.w - 1;
    byId("box-y").max = this.size.h - 1;
    byId("box-w").max = this.size.w;
    byId("box-h").max = this.size.h;
  }

  chooser() {
    const several = this.list.length > 1;
    byId("remove").hidden = !several;
    byId("add").disabled = this.list.length >= MOST;
    const buttons = several ? this.list.map((_, index) => this.number(index)) : [];
    const focused = byId("boxes").contains(document.activeElement);
    byId("boxes").replaceChildren(...buttons);
    if (focused) buttons[this.active]?.focus();
  }

  number(index) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "small", textContent: index + 1 });
    button.setAttribute("aria-pressed", index === this.active);
    button.setAttribute("aria-label", t("box.number", { number: index + 1 }));
    button.addEventListener("click", () => this.pick(index));
    return button;
  }

  tilted(input) {
    const degrees = Math.round(Number(input.value) * 100) / 100;
    if (input.validity.valid && input.value !== "") this.lean(degrees);
  }

  // Said late, so that a held key does not flood the live region.
  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      announce(t("box.told", this.box));
    }, 400);
  }
}
