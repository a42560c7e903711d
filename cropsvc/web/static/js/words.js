// Numbers and sentences for people, and two ways to pass them on: the live region, the clipboard.

export const byId = (id) => document.getElementById(id);

/** 1,586,451 -> "1.6 MB". */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB"];
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < 2) { value /= 1000; unit += 1; }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** "98 % smaller", "12 % larger" or nothing. */
export function saving(result, original) {
  if (!original) return "";
  const percent = Math.round((1 - result / original) * 100);
  if (percent === 0) return "";
  return percent > 0 ? `${percent} % smaller` : `${-percent} % larger`;
}

/** Say it to a screen reader. */
export function announce(text) {
  byId("live").textContent = text;
}

export async function copy(text, button) {
  await write(text);
  flash(button, "Copied");
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
