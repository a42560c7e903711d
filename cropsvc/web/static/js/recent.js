// The crops of this browser: ids alone are kept, all else is asked from the service.

import { t } from "./language.js";
import { byId } from "./words.js";
import { call } from "./client.js";

const KEY = "cropsvc.recent";
const MOST = 8;

const read = () => {
  try {
    const ids = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(ids) ? ids.filter((id) => /^[\w-]{1,100}$/.test(id)) : [];
  } catch { return []; }
};

const write = (ids) => {
  try { localStorage.setItem(KEY, JSON.stringify(ids.slice(0, MOST))); } catch { /* private mode: no list */ }
};

export function remember(id) {
  write([id, ...read().filter((other) => other !== id)]);
}

export function forgetAll() {
  write([]);
  byId("recent").hidden = true;
}

/** Draw the list; what has expired leaves it. */
export async function drawRecent({ api, page, except }) {
  const shown = [];
  for (const id of read()) {
    const job = await call(`${api}/${encodeURIComponent(id)}`).catch((error) => error);
    if ([404, 410].includes(job.status)) write(read().filter((other) => other !== id));
    else if (job.id && id !== except) shown.push(job);
  }
  byId("recent-list").replaceChildren(...shown.map((job) => entry(job, page)));
  byId("recent").hidden = shown.length === 0;
}

function entry(job, page) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = page + job.id;
  const words = document.createElement("span");
  const output = job.outputs?.find((one) => one.url && !one.error);
  if (job.state === "done" && output) {
    const image = new Image();
    Object.assign(image, { src: output.url, alt: "", loading: "lazy" });
    link.append(image);
    const more = job.outputs.length > 1 ? ` +${job.outputs.length - 1}` : "";
    words.textContent = `${output.width} × ${output.height}${more}`;
  } else {
    const blank = document.createElement("span");
    blank.className = "blank";
    link.append(blank);
    words.textContent = t(`title.${job.state}`);
  }
  link.append(words);
  item.append(link);
  return item;
}
