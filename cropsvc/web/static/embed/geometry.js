// Boxes in whole pixels of the image as displayed: {x, y, w, h}. Pure functions, no DOM.

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The box moved and, where it must be, shrunk into the image; at least one pixel. */
export function inside(box, size) {
  const w = clamp(Math.round(box.w), 1, size.w);
  const h = clamp(Math.round(box.h), 1, size.h);
  return { x: clamp(Math.round(box.x), 0, size.w - w), y: clamp(Math.round(box.y), 0, size.h - h), w, h };
}

/** Whole pixels from Cropper's fractions: edges rounded half up, as the server rounds them. */
export function rounded(data, size) {
  const edge = (value, limit) => clamp(Math.floor(value + 0.5), 0, limit);
  const x = Math.min(edge(data.x, size.w), size.w - 1);
  const y = Math.min(edge(data.y, size.h), size.h - 1);
  return {
    x, y,
    w: Math.max(edge(data.x + data.width, size.w) - x, 1),
    h: Math.max(edge(data.y + data.height, size.h) - y, 1),
  };
}

/** The box with this ratio (width / height), as wide as before if that fits the image. */
export function shaped(box, ratio, size) {
  if (!ratio) return inside(box, size);
  const w = Math.min(box.w, size.w, size.h * ratio);
  return inside({ ...box, w, h: w / ratio }, size);
}

/** The box after one field was set to a number; the ratio, if any, decides the other side. */
export function edited(box, field, value, ratio, size) {
  const next = { ...box, [field]: value };
  if (field === "x") next.x = clamp(value, 0, size.w - box.w);
  if (field === "y") next.y = clamp(value, 0, size.h - box.h);
  if (!ratio || field === "x" || field === "y") return inside(next, size);
  const w = field === "w" ? value : value * ratio;
  return shaped({ ...box, w }, ratio, size);
}

/** The box moved by a key, or its lower right corner with `resize`. */
export function nudged(box, [dx, dy], { resize, ratio, size }) {
  if (!resize) return inside({ ...box, x: box.x + dx, y: box.y + dy }, size);
  const field = dx ? "w" : "h";
  const room = dx ? size.w - box.x : size.h - box.y;
  return edited(box, field, clamp(box[field] + dx + dy, 1, room), ratio, size);
}

/** The box whose side or corner `grip` (n, e, s, w, ne, …) is dragged to a point; the opposite one stays. */
export function dragged(box, grip, point, ratio, size) {
  const has = (side) => grip.includes(side);
  const fixed = { x: has("w") ? box.x + box.w : box.x, y: has("n") ? box.y + box.h : box.y };
  const room = { w: has("w") ? fixed.x : size.w - fixed.x, h: has("n") ? fixed.y : size.h - fixed.y };
  const across = has("e") || has("w");
  let w = across ? clamp(Math.abs(point.x - fixed.x) * (point.x > fixed.x === has("e")), 1, room.w) : box.w;
  let h = has("n") || has("s") ? clamp(Math.abs(point.y - fixed.y) * (point.y > fixed.y === has("s")), 1, room.h) : box.h;
  if (ratio) {
    w = Math.min(across ? Math.max(w, grip.length > 1 ? h * ratio : 0) : h * ratio, room.w, room.h * ratio);
    h = w / ratio;
  }
  return inside({ x: has("w") ? fixed.x - w : fixed.x, y: has("n") ? fixed.y - h : fixed.y, w, h }, size);
}

/** The same pixels after a quarter turn clockwise of an image of this size. */
export function turned(box, size) {
  return { x: size.h - box.y - box.h, y: box.x, w: box.h, h: box.w };
}

/** The largest box of this ratio, four fifths of the image, in its middle. */
export function initial(size, ratio) {
  const box = shaped({ x: 0, y: 0, w: size.w * 0.8, h: size.h * 0.8 }, ratio, size);
  return inside({ ...box, x: (size.w - box.w) / 2, y: (size.h - box.h) / 2 }, size);
}

/** The region that is left of a box when it has to fill sides of another ratio. */
export function covering(box, { w, h }) {
  const ratio = w / h;
  const cut = box.w > box.h * ratio
    ? { w: Math.max(1, Math.round(box.h * ratio)), h: box.h }
    : { w: box.w, h: Math.max(1, Math.round(box.w / ratio)) };
  const start = (at, whole, part) => Math.min(Math.max(Math.round(at + (whole - part) / 2), at), at + whole - part);
  return { x: start(box.x, box.w, cut.w), y: start(box.y, box.h, cut.h), ...cut };
}

/** The output's size for a region, by what stands in the size fields. */
export function outputSize(box, { width, height, locked, last }) {
  if (!width && !height) return { w: box.w, h: box.h };
  if (!locked && width && height) return { w: width, h: height };
  const byWidth = width && (last === "w" || !height);
  const scale = byWidth ? width / box.w : height / box.h;
  return {
    w: byWidth ? width : Math.max(1, Math.round(box.w * scale)),
    h: byWidth ? Math.max(1, Math.round(box.h * scale)) : height,
  };
}

/** The frame without empty corners in an image of this size, turned by any angle; docs/reference/http-api.md, `rotate`. */
export function frame({ w, h }, degrees) {
  const angle = (degrees * Math.PI) / 180;
  const scale = 1 / (Math.abs(Math.cos(angle)) + Math.max(w / h, h / w) * Math.abs(Math.sin(angle)));
  return { w: Math.max(1, Math.floor(w * scale)), h: Math.max(1, Math.floor(h * scale)) };
}

/** What boxes refer to in an image of this size that is turned by any angle. */
export function turnedFrame(size, degrees) {
  if (degrees % 90) return frame(size, degrees);
  return degrees % 180 ? { w: size.h, h: size.w } : size;
}

/** The box at the same part of a frame that has become larger or smaller. */
export function refitted(box, before, after) {
  const [x, y] = [after.w / before.w, after.h / before.h];
  return inside({ x: box.x * x, y: box.y * y, w: box.w * x, h: box.h * y }, after);
}

/** Degrees, clockwise and from -45 to 45, by which a line is off level or off upright, whichever is nearer. */
export function slope(dx, dy) {
  const degrees = (Math.atan2(dy, dx) * 180) / Math.PI;
  return degrees - Math.round(degrees / 90) * 90;
}
