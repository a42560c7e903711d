// The operator's presets: one choice that fills the fields.

import { outputOf, ratioOf } from "./restore.js";
import { byId } from "./words.js";

export class Presets {
  /** `chosen({aspect, box, output})` hears of a preset that was chosen. */
  constructor(chosen) {
    this.field = byId("preset");
    this.chosen = chosen;
    this.field?.addEventListener("change", () => this.fill());
  }

  /** Fill the fields with what the chosen preset says. */
  fill() {
    const option = this.field.selectedOptions[0];
    byId("preset-text").textContent = option.dataset.text || "";
    if (!this.name) return;
    const parameters = JSON.parse(option.dataset.parameters);
    const [w, h] = (parameters.aspect || "").split(":").map(Number);
    this.chosen({ aspect: w ? ratioOf(w / (h || 1)) : "", box: parameters.box, output: outputOf(parameters) });
  }

  get name() {
    return this.field?.value || "";
  }

  /** The parameters with the preset; nothing but it where the operator allows nothing else. */
  applied(pairs) {
    if (!this.name) return pairs;
    return "only" in this.field.dataset ? { preset: this.name } : { preset: this.name, ...pairs };
  }
}
