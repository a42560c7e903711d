// What the element's attributes ask the service for.

const PARAMETERS = { size: "size", format: "format", preset: "preset", "max-bytes": "max_bytes" };

/** Width / height of the box, or null: `aspect` decides, else `size`, else those of the preset. */
export function ratioOf(element, preset) {
  return aspect(element.getAttribute("aspect")) || sides(element.getAttribute("size"))
    || aspect(preset.aspect) || sides(preset.size);
}

/** The parameters of the upload: the box, and what the attributes say. */
export function parametersOf(element, { x, y, w, h }) {
  const pairs = Object.entries(PARAMETERS).map(([from, to]) => [to, element.getAttribute(from)]);
  return { box: [x, y, w, h].join(","), ...Object.fromEntries(pairs.filter(([, value]) => value)) };
}

/** The name of the cropped file: the original's, with the suffix of its format. */
export function nameOf(file, format) {
  return `${file.name?.replace(/\.[^.]*$/, "") || "crop"}.${format === "jpeg" ? "jpg" : format}`;
}

const aspect = (text) => ratio(...`${text || ""}:1`.split(":"));
const sides = (text) => ratio(...`${text || ""}x0`.split("x"));
const ratio = (w, h) => (w > 0 && h > 0 ? w / h : null);
