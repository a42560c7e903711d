// The image with its crop box: mouse, touch and keys move it, in whole pixels of the original.

import { dragged, initial, inside, nudged, shaped } from "./geometry.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const GRIPS = ["n", "e", "s", "w", "ne", "se", "sw", "nw"];
const SHARPEST = 2048; // pixels of the canvas's longer side
const LARGEST = 8;     // screen pixels for one of the image
const CLICK = 4;       // screen pixels that a click may move

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class Stage {
  /** `moved(box, byHand)` is called after each change. */
  constructor(frame, moved) {
    Object.assign(this, { frame, moved, ratio: null, frozen: false, size: null, pointers: new Map() });
    this.canvas = part("canvas", "image");
    this.mark = part("div", "box");
    this.mark.append(...GRIPS.map((grip) => Object.assign(part("i", "grip"), { className: grip })));
    frame.append(this.canvas, this.mark);
    for (const [name, hear] of [["down", this.down], ["move", this.drag], ["up", this.up], ["cancel", this.up]]) {
      frame.addEventListener(`pointer${name}`, (event) => this.size && !this.frozen && hear.call(this, event));
    }
    frame.addEventListener("keydown", (event) => this.size && !this.frozen && this.key(event));
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.size && this.fit()).observe(frame);
  }

  /** Show this bitmap, with the largest box in its middle. */
  show(bitmap) {
    this.size = { w: bitmap.width, h: bitmap.height };
    const { w, h } = this.size;
    const scale = Math.min(1, SHARPEST / Math.max(w, h));
    Object.assign(this.canvas, { width: Math.max(1, w * scale), height: Math.max(1, h * scale) });
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
    this.frame.style.setProperty("aspect-ratio", w / h);
    this.box = initial(this.size, this.ratio);
    this.fit();
    this.moved(this.box, false);
  }

  /** Width / height of the box, or null for any. */
  setRatio(ratio) {
    this.ratio = ratio;
    if (this.size) this.take(shaped(this.box, ratio, this.size), false);
  }

  take(box, byHand = true) {
    this.box = box;
    this.draw();
    this.moved(box, byHand);
  }

  // Screen pixels for one of the image where all of it is visible.
  get fitting() {
    return Math.min(this.frame.clientWidth / this.size.w, this.frame.clientHeight / this.size.h);
  }

  fit() {
    this.place(this.fitting, { x: 0, y: 0 }, { x: 0, y: 0 });
  }

  /** Zoom by a factor, around the box. */
  zoomBy(factor) {
    if (!this.size || this.frozen) return;
    const { x, y, w, h } = this.box;
    const { clientWidth, clientHeight } = this.frame;
    const most = Math.max(this.fitting, Math.min(LARGEST, clientWidth / w, clientHeight / h));
    const scale = clamp(this.scale * factor, this.fitting, most);
    this.place(scale, { x: x + w / 2, y: y + h / 2 }, { x: clientWidth / 2, y: clientHeight / 2 });
  }

  // Show the image at this scale, its pixel `at` where the frame's point `under` is.
  place(scale, at, under) {
    const offset = (whole, frame, wanted) => (
      whole <= frame ? (frame - whole) / 2 : clamp(wanted, frame - whole, 0));
    this.scale = scale;
    this.left = offset(this.size.w * scale, this.frame.clientWidth, under.x - at.x * scale);
    this.top = offset(this.size.h * scale, this.frame.clientHeight, under.y - at.y * scale);
    this.draw();
  }

  draw() {
    const { scale, left, top, box } = this;
    lay(this.canvas, left, top, this.size.w * scale, this.size.h * scale);
    lay(this.mark, left + box.x * scale, top + box.y * scale, box.w * scale, box.h * scale);
  }

  // The frame's point of an event, and the image's pixel there.
  point(event) {
    const { left, top } = this.frame.getBoundingClientRect();
    return { x: event.clientX - left - this.frame.clientLeft, y: event.clientY - top - this.frame.clientTop };
  }

  pixel({ x, y }) {
    return {
      x: clamp((x - this.left) / this.scale, 0, this.size.w),
      y: clamp((y - this.top) / this.scale, 0, this.size.h),
    };
  }

  down(event) {
    if (event.button) return;
    const at = this.point(event);
    this.pointers.set(event.pointerId, at);
    this.frame.setPointerCapture(event.pointerId);
    if (this.pointers.size === 2) this.pinch();
    if (this.pointers.size > 1) return;
    const grip = event.target.className || "";
    const isBox = event.target === this.mark;
    this.hold = { grip: GRIPS.includes(grip) ? grip : "", isBox, at, pixel: this.pixel(at), box: this.box };
  }

  drag(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const at = this.point(event);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size > 1) return this.pinched();
    if (!this.hold) return;
    const { grip, isBox, pixel, box } = this.hold;
    const to = this.pixel(at);
    const by = { x: box.x + to.x - pixel.x, y: box.y + to.y - pixel.y };
    if (isBox) return this.take(inside({ ...box, ...by }, this.size));
    if (grip) {
      const corner = { x: by.x + (grip.includes("e") ? box.w : 0), y: by.y + (grip.includes("s") ? box.h : 0) };
      return this.take(dragged(box, grip, corner, this.ratio, this.size));
    }
    if (!this.isClick(at, this.hold.at)) this.take(this.drawn(pixel, to));
  }

  // A new box from one corner to the other.
  drawn(from, to) {
    const grip = (to.y < from.y ? "n" : "s") + (to.x < from.x ? "w" : "e");
    return dragged({ ...from, w: 0, h: 0 }, grip, to, this.ratio, this.size);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { hold } = this;
    this.hold = null; // after a pinch, the finger that stays drags nothing
    if (!hold || hold.grip || hold.isBox || event.type !== "pointerup") return;
    if (!this.isClick(this.point(event), hold.at)) return;
    // a click brings the box there, for those who cannot drag
    const { w, h } = hold.box;
    this.take(inside({ x: hold.pixel.x - w / 2, y: hold.pixel.y - h / 2, w, h }, this.size));
  }

  isClick(to, from) {
    return Math.hypot(to.x - from.x, to.y - from.y) <= CLICK;
  }

  pinch() {
    const { middle, apart } = this.fingers();
    this.spread = { apart, scale: this.scale, pixel: this.pixel(middle) };
    if (this.hold) this.take(this.hold.box); // undo what the first finger moved on its way
    this.hold = null;
  }

  pinched() {
    const { middle, apart } = this.fingers();
    const most = Math.max(LARGEST, this.fitting);
    const scale = clamp(this.spread.scale * apart / this.spread.apart, this.fitting, most);
    this.place(scale, this.spread.pixel, middle);
  }

  fingers() {
    const [a, b] = [...this.pointers.values()];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  /** As on the page: arrows move, with Shift by 10, with Alt they resize; plus and minus zoom. */
  key(event) {
    if (event.ctrlKey || event.metaKey) return;
    if (["+", "=", "-"].includes(event.key)) {
      event.preventDefault();
      this.zoomBy(event.key === "-" ? 1 / 1.25 : 1.25);
    }
    const step = KEYS[event.key];
    if (!step) return;
    event.preventDefault();
    const move = step.map((one) => one * (event.shiftKey ? 10 : 1));
    this.take(nudged(this.box, move, { resize: event.altKey, ratio: this.ratio, size: this.size }));
    this.reveal();
  }

  // At a zoom, keys can move the box out of what is visible.
  reveal() {
    const { x, y, w, h } = this.box;
    const [right, bottom] = [this.left + (x + w) * this.scale, this.top + (y + h) * this.scale];
    const isIn = this.left + x * this.scale >= -1 && this.top + y * this.scale >= -1;
    if (!isIn || right > this.frame.clientWidth + 1 || bottom > this.frame.clientHeight + 1) this.zoomBy(1);
  }

  wheel(event) {
    if (!event.ctrlKey || !this.size) return;
    event.preventDefault();
    this.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
  }
}

function part(tag, name) {
  const element = document.createElement(tag);
  element.setAttribute("part", name);
  return element;
}

function lay(element, left, top, width, height) {
  for (const [name, value] of Object.entries({ left, top, width, height })) {
    element.style.setProperty(name, `${value}px`);
  }
}
