// The image with its crop box: Cropper.js, with the box kept in whole pixels of the original.
/* global Cropper */

import { rounded } from "../embed/geometry.js";
import { lean } from "./lean.js";

const OPTIONS = {
  viewMode: 1,             // the box never leaves the image
  autoCropArea: 1,
  background: false,
  checkOrientation: false, // the browser has applied EXIF already, as the server does
  responsive: false,       // the stage watches its own size, see `watch`
  restore: false,
  zoomOnWheel: false,      // a wheel scrolls the page, unless Ctrl is held (or two fingers pinch)
  toggleDragModeOnDblclick: false,
};

export class Stage {
  /** `onBox(box)` hears of the user's hand on the box, `onPick(index)` of another box chosen. */
  constructor(frame, image, { onBox, onPick, onZoom }) {
    Object.assign(this, { frame, image, onBox, onPick, onZoom });
    this.byHand = false; // only then Cropper's numbers are taken over; otherwise ours stand
    this.box = null;
    this.others = [];
    this.frozen = false;
    this.panning = false;
    this.turn(0, 0, { w: 1, h: 1 });
    this.whole = this.size;
    image.addEventListener("cropstart", () => { this.byHand = true; });
    image.addEventListener("cropend", () => this.letGo());
    image.addEventListener("crop", (event) => this.heard(event.detail));
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.watch();
  }

  /** Show this image; resolves when its box can be drawn, rejects when it cannot be shown. */
  async load(url) {
    this.unload();
    await new Promise((ready) => {
      this.image.src = url;
      this.image.addEventListener("ready", ready, { once: true });
      this.cropper = new Cropper(this.image, { ...OPTIONS, dragMode: this.panning ? "move" : "crop" });
    });
    lean(this.cropper, () => this.leaning);
    this.layer = document.createElement("div");
    this.layer.className = "others";
    this.frame.querySelector(".cropper-container").append(this.layer);
    for (const clone of this.frame.querySelectorAll(".cropper-container img")) clone.alt = "";
  }

  unload() {
    this.cropper?.destroy();
    this.cropper = null;
    this.box = null;
    this.frozen = false;
  }

  /** Give the frame the shape of the whole image, within what the style sheet allows. */
  shape({ w, h }) {
    this.whole = { w, h };
    this.frame.style.setProperty("--ratio", w / h);
  }

  /** Draw the active box and the outlines of the others. */
  show(boxes, active, { refit = false } = {}) {
    this.box = boxes[active];
    this.others = boxes.map((box, index) => ({ box, index })).filter(({ index }) => index !== active);
    this.draw(refit);
  }

  setRatio(ratio) {
    if (!this.cropper) return;
    this.cropper.setAspectRatio(ratio || NaN);
    this.draw();
  }

  /** Turn by quarters, tilt by degrees; `size` is what then counts as the image, in pixels. */
  turn(rotation, tilt, size) {
    this.rotation = tilt ? 0 : rotation; // a tilted frame has the shape of the image itself
    this.angle = tilt ? rotation + tilt : 0;
    this.size = size;
  }

  // How Cropper's two images are turned and enlarged in its canvas, which is the frame.
  get leaning() {
    const { whole, size, angle } = this;
    return angle ? { angle, w: whole.w / size.w, h: whole.h / size.h } : null;
  }

  // The frame's pixels for one of Cropper's, whose image may be a smaller preview.
  get unit() {
    const canvas = this.cropper.getCanvasData();
    return { w: this.size.w / canvas.naturalWidth, h: this.size.h / canvas.naturalHeight };
  }

  setPan(on) {
    this.panning = on;
    this.cropper?.setDragMode(on ? "move" : "crop");
  }

  freeze(on) {
    this.frozen = on;
    if (on) this.cropper?.disable();
    else this.cropper?.enable();
    this.frame.classList.toggle("frozen", on);
  }

  /** Zoom by a factor around the box, which keeps its place on the image. */
  zoomBy(factor) {
    if (!this.cropper || this.frozen) return;
    const { width, height } = this.cropper.getContainerData();
    const most = Math.max(Math.min(width / this.box.w, height / this.box.h), this.fitting);
    const scale = Math.min(Math.max(this.scale * factor, this.fitting), most, Math.max(8, this.fitting));
    this.place(scale);
    this.apply();
  }

  // Screen pixels for one pixel of the image.
  get scale() {
    return this.cropper.getCanvasData().width / this.size.w;
  }

  get fitting() {
    const { width, height } = this.cropper.getContainerData();
    return Math.min(width / this.size.w, height / this.size.h);
  }

  draw(refit = false) {
    if (!this.cropper || !this.box) return;
    const turned = (this.cropper.getData().rotate || 0) !== this.rotation;
    if (turned || refit || !this.visible()) this.place(null);
    if (this.drawn !== this.angle) this.cropper.renderImage();
    this.drawn = this.angle;
    this.apply();
  }

  // Whether the box fits the view at this zoom; Cropper would cut it off.
  visible() {
    const view = this.cropper.getContainerData();
    const canvas = this.cropper.getCanvasData();
    const at = (value, offset) => value * this.scale + offset;
    const slack = 0.01;
    return at(this.box.x, canvas.left) >= -slack && at(this.box.y, canvas.top) >= -slack
      && at(this.box.x + this.box.w, canvas.left) <= view.width + slack
      && at(this.box.y + this.box.h, canvas.top) <= view.height + slack;
  }

  // Rotate and scale the image; a scale above fitting centres the box. Cropper binds the image
  // to the box while there is one, so it is taken off for that time.
  place(scale) {
    const { cropper } = this;
    cropper.clear();
    cropper.rotateTo(this.rotation);
    const wanted = scale ?? this.fitting;
    cropper.zoomTo(wanted * this.unit.w);
    const view = cropper.getContainerData();
    const offset = (length, start, size, whole) => (
      whole * wanted <= length + 0.5
        ? (length - whole * wanted) / 2
        : Math.min(0, Math.max(length - whole * wanted, length / 2 - (start + size / 2) * wanted)));
    cropper.moveTo(
      offset(view.width, this.box.x, this.box.w, this.size.w),
      offset(view.height, this.box.y, this.box.h, this.size.h),
    );
    cropper.crop();
  }

  apply() {
    const { x, y, w, h } = this.box;
    const ratio = this.cropper.options.aspectRatio;
    this.cropper.options.aspectRatio = NaN; // or Cropper replaces our whole pixels by the exact ratio
    const { unit } = this;
    this.cropper.setData({ x: x / unit.w, y: y / unit.h, width: w / unit.w, height: h / unit.h });
    this.cropper.options.aspectRatio = ratio;
    this.outline();
    this.onZoom(this.scale, this.scale > this.fitting * 1.001);
  }

  heard(detail) {
    if (!this.byHand || !this.cropper) return;
    const { unit } = this;
    const data = { x: detail.x * unit.w, y: detail.y * unit.h, width: detail.width * unit.w, height: detail.height * unit.h };
    this.box = rounded(data, this.size);
    this.outline();
    this.onBox(this.box, false);
  }

  letGo() {
    if (!this.byHand) return;
    this.byHand = false;
    if (this.scale < this.fitting) this.place(null);
    this.apply();
    this.onBox(this.box, true);
  }

  // The other boxes, as outlines that can be clicked; the list beside has the same for keyboards.
  outline() {
    const canvas = this.cropper.getCanvasData();
    const marks = this.others.map(({ box, index }) => {
      const mark = document.createElement("button");
      Object.assign(mark, { type: "button", className: "other", tabIndex: -1, textContent: index + 1 });
      mark.setAttribute("aria-hidden", "true");
      mark.style.left = `${canvas.left + box.x * this.scale}px`;
      mark.style.top = `${canvas.top + box.y * this.scale}px`;
      mark.style.width = `${box.w * this.scale}px`;
      mark.style.height = `${box.h * this.scale}px`;
      mark.addEventListener("pointerdown", (event) => event.stopPropagation());
      mark.addEventListener("click", () => this.onPick(index));
      return mark;
    });
    this.layer.replaceChildren(...marks);
  }

  wheel(event) {
    if (!event.ctrlKey || !this.cropper) return;
    event.preventDefault();
    this.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
  }

  watch() {
    new ResizeObserver(() => {
      if (!this.cropper || !this.box) return;
      const { frozen } = this;
      this.freeze(false);
      this.cropper.resize();
      this.place(null);
      this.apply();
      this.freeze(frozen);
    }).observe(this.frame);
  }
}
