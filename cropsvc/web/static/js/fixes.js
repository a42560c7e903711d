// Losses that another setting avoids: what the notes of an output offer.

import { t } from "./language.js";

/** For each such note the button's text and the settings that it changes. */
export function fixesOf(job, { format, notes }, { hdr }) {
  const found = [];
  if (notes.includes("gain-map-dropped") && job.source?.format === "jpeg" && !(hdr && format === "jpeg")) {
    found.push({ text: t("keep.hdr"), settings: { hdr: true, format: "jpeg" } });
  }
  if (format === "jpeg" && (notes.includes("animation-flattened") || notes.includes("alpha-flattened"))) {
    found.push({ text: t("keep.webp"), settings: { format: "webp" } });
  }
  return found;
}
