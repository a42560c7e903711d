// The batch of this browser's last visit: its tab was closed, or lost, before it had ended.

import { ENDED } from "./batch.js";
import { call } from "./client.js";
import { randomKey } from "./send.js";
import { fromJob } from "./source.js";
import { byId } from "./words.js";

const KEY = "cropsvc.batch";
const DAY = 86_400_000; // ms; nobody looks for an older one

/** Keep what the batch needs to go on: names, sizes, job ids and parameters; never an image. */
export function keepBatch(items) {
  const rows = items.map(({ source: { name, bytes, format }, job, key, asked, state }) => (
    { name, bytes, format, key, asked, job: job?.id, state }));
  try { localStorage.setItem(KEY, JSON.stringify({ at: Date.now(), rows })); } catch { /* private mode: nothing is kept */ }
}

function kept() {
  try {
    const { at, rows } = JSON.parse(localStorage.getItem(KEY));
    return Date.now() - at < DAY ? rows.filter(({ state }) => state !== "canceled") : [];
  } catch { return []; }
}

export class LastVisit {
  constructor({ api, batch, card }) {
    Object.assign(this, { api, batch, card, items: [] });
    byId("batch-forget").addEventListener("click", () => this.forget());
  }

  /** Ask the service for the jobs, show what is there, and follow what has not ended. */
  async begin() {
    const found = await Promise.all(kept().map((row) => this.item(row)));
    const items = found.filter(Boolean);
    if (!items.length) return this.forget();
    this.items = this.batch.items = items;
    this.card.draw();
    return this.goOn();
  }

  async item({ name, bytes, format, key, asked, job: id, state }) {
    const item = { source: { file: null, jobId: null, name, format, bytes, url: null }, state: "missing", asked, key, progress: 0, message: "" };
    if (!id) return item;
    const self = `${this.api}/${encodeURIComponent(id)}`;
    const job = await call(self).catch((error) => error);
    if ([404, 410].includes(job.status)) return state === "done" ? null : { ...item, key: randomKey() };
    item.job = job.id ? job : { id, state: "queued", progress: 0, links: { self } }; // it will be asked again
    if (job.id) item.source = { ...fromJob(job), name };
    if (job.state === "failed") return { ...item, job: null, key: randomKey() };
    return { ...item, state: ENDED.includes(job.state) ? job.state : "waiting" };
  }

  async goOn() {
    if (this.items.some(({ state }) => state === "waiting")) await this.batch.goOn(this.items);
  }

  /** Take the files that were asked for; give back how many, and those that this batch does not know. */
  claim(files) {
    const rest = [];
    let taken = 0;
    for (const file of files) {
      const alike = this.items.filter(({ source }) => source.name === file.name && source.bytes === file.size);
      const item = alike.find(({ state }) => state === "missing");
      if (item) Object.assign(item, { state: "waiting", source: { ...item.source, file, jobId: null, url: URL.createObjectURL(file) } });
      if (item) taken += 1;
      else if (!alike.length) rest.push(file);
    }
    return { rest, taken };
  }

  /** Try the failed ones again, those whose files are here. */
  retry() {
    for (const item of this.items) {
      if (!["failed", "canceled"].includes(item.state)) continue;
      Object.assign(item, { state: item.source.file ? "waiting" : "missing", job: null, key: randomKey(), message: "" });
    }
    this.card.draw();
    return this.goOn();
  }

  /** Another batch is on the page now. */
  leave() {
    this.items = [];
  }

  forget() {
    if (this.items.length) { this.batch.items = []; this.card.hide(); }
    this.leave();
    try { localStorage.removeItem(KEY); } catch { /* private mode */ }
  }
}
