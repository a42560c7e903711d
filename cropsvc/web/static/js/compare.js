// Before and after: the same region of the original, over the result, up to a line that is dragged.

import { t } from "./language.js";

const MOST = 1200; // pixels per side; more than the card shows

/**
 * What stands in the place of the result's image. `original` is {url, size, angle}: the image on
 * the stage, its size in its own pixels, and the degrees that it was turned by.
 */
export async function comparison(output, original) {
  const view = document.createElement("div");
  const slider = document.createElement("input");
  const after = new Image();
  Object.assign(after, { src: output.url, alt: t("job.image"), width: output.width, height: output.height });
  Object.assign(slider, { type: "range", min: 0, max: 100, value: 50 });
  slider.setAttribute("aria-label", t("compare.before"));
  const move = () => view.style.setProperty("--at", `${slider.value}%`);
  slider.addEventListener("input", move);
  view.className = "compare";
  const both = document.createElement("div");
  both.append(after, await before(output, original));
  view.append(both, slider);
  move();
  return view;
}

// The output's region, cut out of what is on the stage.
async function before({ width, height, region: [x, y, w, h] }, { url, size, angle, frame }) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, MOST / Math.max(width, height));
  [canvas.width, canvas.height] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.scale(canvas.width / w, canvas.height / h);
  context.translate(frame.w / 2 - x, frame.h / 2 - y);
  context.rotate((angle * Math.PI) / 180);
  context.drawImage(image, -size.w / 2, -size.h / 2, size.w, size.h);
  return canvas;
}
