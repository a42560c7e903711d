// The boxes of one image: the list, the fields, the shape, the keys.

import { edited, initial, inside, nudged, shaped, turned } from "./geometry.js";
import { announce, byId } from "./words.js";

const FIELDS = { "box-x": "x", "box-y": "y", "box-w": "w", "box-h": "h" };
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MOST = 16; // outputs of one job

export class Boxes {
  /** `changed()` is called after each change; the stage draws what stands here. */
  constructor(stage, changed) {
    Object.assign(this, { stage, changed, list: [], active: 0, rotation: 0, size: { w: 1, h: 1 } });
    for (const id of Object.keys(FIELDS)) this.field(id);
    byId("add").addEventListener("click", () => this.add());
    byId("remove").addEventListener("click", () => this.remove());
    byId("reset").addEventListener("click", () => this.reset());
    byId("left").addEventListener("click", () => this.turn(3));
    byId("right").addEventListener("click", () => this.turn(1));
    for (const radio of document.getElementsByName("aspect")) radio.addEventListener("change", () => this.reshape());
    for (const id of ["ratio-w", "ratio-h"]) byId(id).addEventListener("input", () => this.reshape());
    byId("stage").addEventListener("keydown", (event) => this.key(event));
  }

  get box() {
    return this.list[this.active];
  }

  get ratio() {
    const { value } = document.querySelector("input[name=aspect]:checked");
    const [w, h] = value === "custom" ? [byId("ratio-w").value, byId("ratio-h").value] : value.split(":");
    return w > 0 && h > 0 ? w / h : null;
  }

  /** Start with an image of this size (before rotation), and these boxes if any. */
  start(natural, boxes = [], rotation = 0) {
    this.rotation = rotation;
    this.size = rotation % 180 ? { w: natural.h, h: natural.w } : natural;
    this.list = boxes.length ? boxes.map((box) => inside(box, this.size)) : [initial(this.size, this.ratio)];
    this.active = 0;
    this.stage.rotateTo(rotation);
    this.draw({ refit: true });
  }

  /** The user's hand on the stage. */
  heard(box, settled) {
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
    const { x, y, w, h } = this.box;
    const step = Math.max(1, Math.round(Math.min(this.size.w, this.size.h) / 20));
    this.list.push(inside({ x: x + step, y: y + step, w: Math.min(w, this.size.w * 0.6), h: Math.min(h, this.size.h * 0.6) }, this.size));
    this.active = this.list.length - 1;
    this.list[this.active] = shaped(this.box, this.ratio, this.size);
    this.draw();
    this.tell();
  }

  remove() {
    this.list.splice(this.active, 1);
    this.active = Math.max(0, this.active - 1);
    this.draw();
    announce(`Box removed, ${this.list.length} left.`);
    byId("boxes").children[this.active]?.focus();
  }

  reset() {
    document.querySelector("input[name=aspect]").checked = true;
    this.reshape();
    this.start(this.rotation % 180 ? { w: this.size.h, h: this.size.w } : this.size);
    announce("Box and rotation are back at the start.");
  }

  turn(quarters) {
    for (let i = 0; i < quarters; i += 1) {
      this.list = this.list.map((box) => turned(box, this.size));
      this.size = { w: this.size.h, h: this.size.w };
    }
    this.rotation = (this.rotation + quarters * 90) % 360;
    this.stage.rotateTo(this.rotation);
    this.list[this.active] = shaped(this.box, this.ratio, this.size);
    this.draw({ refit: true });
    announce(`Rotated by ${this.rotation} degrees.`);
  }

  reshape() {
    byId("custom").hidden = document.querySelector("input[name=aspect]:checked").value !== "custom";
    if (!this.box) return;
    this.list[this.active] = shaped(this.box, this.ratio, this.size);
    this.stage.setRatio(this.ratio);
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
      this.list[this.active] = edited(this.box, FIELDS[id], value, this.ratio, this.size);
      this.draw({ except: input });
    };
    input.addEventListener("input", apply);
    input.addEventListener("change", () => this.fields()); // what was clamped shows
  }

  draw({ refit = false, except = null } = {}) {
    if (refit) this.stage.shape(this.size);
    this.stage.show(this.list, this.active, { refit });
    this.fields(except);
    this.chooser();
    this.changed();
  }

  fields(except = null) {
    for (const [id, name] of Object.entries(FIELDS)) {
      if (byId(id) !== except) byId(id).value = this.box[name];
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
    button.setAttribute("aria-label", `Box ${index + 1}`);
    button.addEventListener("click", () => this.pick(index));
    return button;
  }

  // Said late, so that a held key does not flood the live region.
  tell() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      const { x, y, w, h } = this.box;
      announce(`Box ${w} by ${h} pixels, at ${x}, ${y}.`);
    }, 400);
  }
}
