// Numbers and sentences for people, and two ways to pass them on: the live region, the clipboard.

import { language, t } from "./language.js";

export const byId = (id) => document.getElementById(id);

/** 1,586,451 -> "1.6 MB". */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB"];
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < 2) { value /= 1000; unit += 1; }
  const digits = value < 10 ? 1 : 0;
  const number = value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${number} ${units[unit]}`;
}

/** A format as people know it. */
export const formatName = (format) => (format === "heif" ? "HEIC" : format.toUpperCase());

/** "98 % smaller", "12 % larger" or nothing. */
export function saving(result, original) {
  if (!original) return "";
  const percent = Math.round((1 - result / original) * 100);
  if (percent === 0) return "";
  return t(percent > 0 ? "saving.smaller" : "saving.larger", { percent: Math.abs(percent) });
}

/** Say what is wrong, above all else. */
export function complain(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = false;
}

/** Say it to a screen reader. */
export function announce(text) {
  byId("live").textContent = text;
}

export async function copy(text, button) {
  await write(text);
  flash(button, t("copied"));
}

/** Show a word on a button for a moment. */
export function flash(button, word) {
  const label = button.dataset.label ||= button.textContent;
  button.textContent = word;
  announce(word);
  setTimeout(() => { button.textContent = label; }, 1600);
}

async function write(text) {
  // Without TLS there is no clipboard API; the old way still works.
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
