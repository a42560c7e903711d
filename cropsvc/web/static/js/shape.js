// The shape of the box: a chip, or a ratio of one's own.

import { byId } from "./words.js";

const chips = () => [...document.getElementsByName("aspect")];

export class Shape {
  /** `changed()` is called when the user chooses another shape. */
  constructor(changed) {
    this.changed = () => { changed(); this.after?.(); };
    this.previous = "";
    for (const chip of chips()) chip.addEventListener("change", () => this.chosen(chip));
    for (const id of ["ratio-w", "ratio-h"]) byId(id).addEventListener("input", () => this.changed());
    byId("flip").addEventListener("click", () => this.flip());
  }

  /** "4:5", or empty for a free box. */
  get aspect() {
    const value = chips().find((chip) => chip.checked)?.value || "";
    if (value !== "custom") return value;
    const [w, h] = [byId("ratio-w"), byId("ratio-h")];
    return w.validity.valid && h.validity.valid && w.value > 0 && h.value > 0 ? `${w.value}:${h.value}` : "";
  }

  /** Width / height, or null. */
  get ratio() {
    const [w, h] = this.aspect.split(":").map(Number);
    return h ? w / h : null;
  }

  set(aspect) {
    const chip = chips().find((one) => one.value === aspect) || chips().find((one) => one.value === "custom");
    if (chip.value === "custom") [byId("ratio-w").value, byId("ratio-h").value] = aspect.split(":");
    chip.checked = true;
    this.draw();
  }

  // The fields of one's own ratio begin with the chip that was chosen before.
  chosen(chip) {
    if (chip.value === "custom" && this.previous) [byId("ratio-w").value, byId("ratio-h").value] = this.previous.split(":");
    this.draw();
    this.changed();
  }

  flip() {
    this.set(this.aspect.split(":").reverse().join(":"));
    this.changed();
  }

  draw() {
    this.previous = this.aspect;
    byId("custom").hidden = !chips().find((chip) => chip.value === "custom").checked;
    byId("flip").disabled = !this.aspect || this.ratio === 1;
    byId("round-row").hidden = this.ratio !== 1;
  }
}
