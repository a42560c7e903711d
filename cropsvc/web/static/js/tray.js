// The images that were chosen, as a row of thumbnails with their states.

import { t } from "./language.js";
import { thumbnail } from "./thumbnail.js";
import { byId, formatName } from "./words.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };

export class Tray {
  /** `select(item)` and `remove(item)` hear of the user's choice. */
  constructor({ select, remove }) {
    Object.assign(this, { select, remove, items: [], current: null, cells: new Map() });
    byId("tray-list").addEventListener("keydown", (event) => this.key(event));
    byId("previous").addEventListener("click", () => this.step(-1));
    byId("following").addEventListener("click", () => this.step(1));
    byId("tray-remove").addEventListener("click", () => this.current && remove(this.current));
    const near = { root: byId("tray-list"), rootMargin: "0px 400px" };
    this.seen = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && this.picture(entry.target)), near);
  }

  /** Show these items, the current one marked. */
  show(items, current) {
    Object.assign(this, { items, current });
    byId("tray").hidden = items.length < 2;
    for (const item of items) if (!this.cells.has(item)) this.cells.set(item, this.cell(item));
    for (const [item, cell] of this.cells) {
      if (items.includes(item)) continue;
      if (cell.picture.src) URL.revokeObjectURL(cell.picture.src);
      cell.button.remove();
      this.cells.delete(item);
    }
    for (const item of items) {
      const { button } = this.cells.get(item);
      if (!button.isConnected) byId("tray-list").append(button);
      this.draw(item);
    }
    const at = items.indexOf(current);
    byId("tray-count").textContent = t("tray.count", { at: at + 1, all: items.length });
    byId("previous").disabled = at <= 0;
    byId("following").disabled = at >= items.length - 1;
    this.cells.get(current)?.button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Draw one item's state and progress. */
  draw(item) {
    const cell = this.cells.get(item);
    if (!cell) return;
    const { button, bar } = cell;
    const chosen = item === this.current;
    button.dataset.state = item.state;
    button.tabIndex = chosen ? 0 : -1;
    button.setAttribute("aria-pressed", chosen);
    button.setAttribute("aria-label", t("tray.cell", { name: item.source.name, state: t(`state.${item.state}`) }));
    button.title = item.message ? `${item.source.name}: ${item.message}` : item.source.name;
    bar.hidden = !["waiting", "sending", "cropping"].includes(item.state);
    bar.value = item.progress || 0;
  }

  cell(item) {
    const button = document.createElement("button");
    const picture = new Image();
    const bar = document.createElement("progress");
    picture.alt = "";
    bar.max = 1;
    bar.setAttribute("aria-hidden", "true");
    Object.assign(button, { type: "button", className: "thumb" });
    button.append(picture, bar);
    button.addEventListener("click", () => this.select(item));
    button.item = item;
    this.seen.observe(button);
    return { button, picture, bar };
  }

  async picture(button) {
    this.seen.unobserve(button);
    const url = await thumbnail(button.item.source);
    const cell = this.cells.get(button.item);
    if (url && cell) cell.picture.src = url;
    else if (cell) button.dataset.format = formatName(button.item.source.format);
  }

  step(by) {
    const next = this.items[this.items.indexOf(this.current) + by];
    if (next) this.select(next);
    return next;
  }

  key(event) {
    const by = STEPS[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = this.step(by);
    if (next) this.cells.get(next).button.focus();
  }
}
