// The horizon tool: a line drawn on the image says how far it is off level.

import { slope } from "../embed/geometry.js";

const SHORTEST = 24; // pixels of the screen; a shorter line is a slip of the hand

export class Horizon {
  /** `level(degrees)` hears by how much, clockwise, the line drawn on the frame is off. */
  constructor(frame, button, level) {
    Object.assign(this, { frame, button, level });
    this.sheet = document.createElement("div");
    this.line = document.createElement("i");
    this.sheet.className = "horizon";
    this.sheet.append(this.line);
    button.addEventListener("click", () => this.set(!this.on));
    frame.addEventListener("keydown", ({ key }) => key === "Escape" && this.set(false));
    this.sheet.addEventListener("pointerdown", (event) => this.begin(event));
    this.sheet.addEventListener("pointermove", (event) => this.start && this.draw(event));
    this.sheet.addEventListener("pointerup", (event) => this.end(event));
    this.sheet.addEventListener("pointercancel", () => this.set(false));
  }

  set(on) {
    this.on = on;
    this.start = null;
    this.line.hidden = true;
    this.button.setAttribute("aria-pressed", on);
    if (on) this.frame.append(this.sheet);
    else this.sheet.remove();
  }

  begin(event) {
    event.preventDefault();
    event.stopPropagation();
    this.start = event;
    this.sheet.setPointerCapture(event.pointerId);
  }

  draw(event) {
    const { left, top } = this.sheet.getBoundingClientRect();
    const [dx, dy] = this.path(event);
    const { style } = this.line;
    this.line.hidden = false;
    style.left = `${this.start.clientX - left}px`;
    style.top = `${this.start.clientY - top}px`;
    style.width = `${Math.hypot(dx, dy)}px`;
    style.transform = `rotate(${Math.atan2(dy, dx)}rad)`;
  }

  end(event) {
    if (!this.start) return;
    const [dx, dy] = this.path(event);
    this.set(false);
    if (Math.hypot(dx, dy) >= SHORTEST) this.level(slope(dx, dy));
  }

  path({ clientX, clientY }) {
    return [clientX - this.start.clientX, clientY - this.start.clientY];
  }
}
