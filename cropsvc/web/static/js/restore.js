// A job's request, as settings of the page: what "Crop again" starts with after a reload.

import { frame, inside } from "../embed/geometry.js";

const SHAPES = ["1:1", "4:5", "4:3", "3:2", "16:9"];

/** "33/2" or "1.5" -> a number. */
const number = (text) => {
  const [over, under] = String(text ?? 0).split("/");
  return Number(over) / Number(under || 1);
};

/** Quarter turns and the tilt of -45 to 45 degrees that together are this angle. */
export function turns(degrees) {
  const angle = ((degrees % 360) + 360) % 360;
  const rotation = Math.round(angle / 90) * 90;
  return { rotation: rotation % 360, tilt: Math.round((angle - rotation) * 100) / 100 };
}

/** The settings behind a job: `asked` is its canonical request, one entry for each output. */
export function settingsOf(job, asked, aspect) {
  const first = asked[0] || {};
  const natural = { w: job.source.width, h: job.source.height };
  const { rotation, tilt } = turns(number(first.rotate));
  const turned = rotation % 180 ? { w: natural.h, h: natural.w } : natural;
  const size = tilt ? frame(natural, rotation + tilt) : turned;
  const boxes = asked.map((crop, index) => boxOf(crop.box, size) || regionOf(job.outputs[index]) || null);
  const found = boxes.filter(Boolean).map((box) => inside(box, size));
  return {
    rotation, tilt, boxes: found,
    aspect: aspect ?? (first.aspect ? ratioOf(number(first.aspect)) : shapeOf(found[0])),
    output: outputOf(first),
  };
}

/** The output fields: from a request's or a preset's parameters. */
export function outputOf(parameters) {
  const [width, height] = (parameters.size || "x").split("x").map(Number);
  const both = Boolean(width && height);
  const stretched = parameters.box && !parameters.aspect;
  return {
    width: width || null, height: height || null, locked: !both,
    fit: parameters.fit || (stretched ? "stretch" : "cover"),
    format: parameters.format || "auto",
    quality: parameters.quality ? Number(parameters.quality) : null,
    lossless: String(parameters.lossless) === "true",
    maxBytes: Number(parameters.max_bytes) || null,
    hdr: parameters.hdr === "keep",
    copyright: parameters.metadata === "copyright",
  };
}

/** The box that a request's text means in an image of this size; null for none. */
export function boxOf(text, size) {
  if (!text) return null;
  const sides = [size.w, size.h, size.w, size.h];
  const [x, y, w, h] = text.split(",").map((one, index) => (
    one.endsWith("%") ? (parseFloat(one) * sides[index]) / 100 : Number(one)));
  const [left, top] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
  const [right, bottom] = [Math.floor(x + w + 0.5), Math.floor(y + h + 0.5)];
  const cut = (value, most) => Math.min(Math.max(value, 0), most);
  const box = { x: cut(left, size.w), y: cut(top, size.h) };
  return { ...box, w: cut(right, size.w) - box.x, h: cut(bottom, size.h) - box.y };
}

function regionOf(output) {
  if (!output?.region) return null;
  const [x, y, w, h] = output.region;
  return { x, y, w, h };
}

/** The chip whose shape this box has, as well as whole pixels can; empty if none has. */
function shapeOf(box) {
  if (!box || Math.min(box.w, box.h) < 20) return "";
  const fits = (shape) => {
    const [w, h] = shape.split(":");
    return Math.abs(box.w - (box.h * w) / h) <= 1 || Math.abs(box.h - (box.w * h) / w) <= 1;
  };
  return SHAPES.find(fits) || "";
}

/** "4:5" for 0.8; a ratio of small numbers if there is one. */
export function ratioOf(ratio) {
  for (let under = 1; under <= 100; under += 1) {
    const over = ratio * under;
    if (Math.abs(over - Math.round(over)) < 1e-6) return `${Math.round(over)}:${under}`;
  }
  return `${Math.round(ratio * 1000)}:1000`;
}
