// The component's elements. They are made one by one: a host page may forbid HTML from text.

// What browsers can show. Phones turn their own formats into one of these.
const SHOWN = ["jpeg", "png", "webp", "gif", "avif", "bmp"].map((one) => `image/${one}`).join();

/** An element with attributes and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.toggleAttribute(name, true);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const button = (part, text, attributes = {}) => make("button", { type: "button", part: `button ${part}`, ...attributes }, text);

const slot = (name, text) => make("slot", { name }, text);

/** All parts by their names, with these texts; `root` holds them. */
export function build(texts) {
  const parts = {
    choose: button("choose", slot("choose", texts.choose), { class: "main" }),
    file: make("input", { type: "file", hidden: true, accept: SHOWN, "aria-label": texts.choose }),
    stage: make("div", {
      part: "stage", class: "stage", tabindex: 0, role: "application",
      "aria-roledescription": texts.role, "aria-label": texts.box, "aria-describedby": "help",
    }),
    out: button("zoom", "−", { "aria-label": texts.out }),
    in: button("zoom", "+", { "aria-label": texts.in }),
    change: button("change", slot("change", texts.change)),
    crop: button("crop", slot("crop", texts.crop), { class: "main" }),
    bar: make("progress", { part: "progress", max: 1, value: 0, "aria-label": texts.progress }),
    status: make("span", { part: "status" }),
    cancel: button("cancel", slot("cancel", texts.cancel)),
    result: make("canvas", { part: "result", role: "img", "aria-label": texts.result }),
    again: button("again", slot("again", texts.again)),
    problem: make("p", { part: "problem", class: "problem", role: "alert", hidden: true }),
    live: make("p", { class: "sr", role: "status" }),
  };
  parts.drop = make("div", { part: "drop", class: "view drop" }, slot("prompt", texts.prompt), parts.choose, parts.file);
  parts.tools = make("div", { part: "tools", class: "row" },
    parts.out, parts.in, make("span", { class: "gap" }), parts.change, parts.crop);
  parts.moving = make("div", { class: "row" }, parts.status, make("span", { class: "gap" }), parts.cancel);
  parts.busy = make("div", { part: "busy", class: "view", hidden: true }, parts.bar, parts.moving);
  parts.edit = make("div", { class: "view", hidden: true },
    parts.stage, make("p", { id: "help", class: "sr" }, texts.help), parts.tools, parts.busy);
  parts.done = make("div", { class: "view result", hidden: true }, parts.result, make("div", { class: "row" }, parts.again));
  parts.root = make("div", { part: "root" }, parts.drop, parts.edit, parts.done, parts.problem, parts.live);
  return parts;
}

/** Draw a bitmap on a canvas of its size. */
export function paint(canvas, bitmap) {
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
}
