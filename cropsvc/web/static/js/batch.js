// Many images through the service: four uploads at a time, each one followed to its end.

import { Problem, call } from "./client.js";
import { follow } from "./follow.js";
import { t } from "./language.js";
import { randomKey, send } from "./send.js";

const LANES = 4;

/** States in which an item has ended. */
export const ENDED = ["done", "failed", "canceled"];

export class Batch {
  /** `changed(item)` is called after each step of an item, and without one for the whole. */
  constructor({ api, ready, changed }) {
    Object.assign(this, { api, ready, changed, items: [], paused: false, running: false });
  }

  /** Crop these items; `pairs(item)` are the parameters of each. Resolves when all have ended. */
  async run(items, pairs) {
    for (const item of items) {
      Object.assign(item, { state: "waiting", progress: 0, job: null, message: "", asked: pairs(item), key: randomKey() });
      this.changed(item);
    }
    await this.goOn(items);
  }

  /** Go on with those of these items that wait: follow the jobs that there are, make the others. */
  async goOn(items) {
    Object.assign(this, { items, running: true, paused: false, abort: new AbortController() });
    const queue = items.filter(({ state }) => state === "waiting");
    this.changed();
    await Promise.all(Array.from({ length: LANES }, () => this.lane(queue)));
    this.running = false;
    this.changed();
  }

  async lane(queue) {
    while (queue.length) {
      while (this.paused) await this.resumed;
      const item = queue.shift();
      if (!item) return;
      if (this.abort.signal.aborted) this.end(item, "canceled");
      else await this.one(item);
    }
  }

  async one(item) {
    const { signal } = this.abort;
    try {
      this.step(item, "sending", 0);
      const away = () => { item.message = t("batch.away"); this.changed(item); };
      const sent = (loaded, total) => this.step(item, "sending", (loaded / total) * 0.4);
      item.job ||= await send(this.api, item.source, item.asked, { key: item.key, signal, sent, away });
      item.source.jobId = item.job.id;
      this.changed(); // its id is kept, so that a closed tab loses nothing
      const heard = (job) => this.step(item, "cropping", 0.4 + job.progress * 0.6);
      item.job = await follow(item.job, { ready: this.ready, signal, heard, away, stuck: () => {} });
      this.end(item, item.job.state, item.job.error?.detail);
    } catch (error) {
      if (error.name === "AbortError") return this.withdraw(item);
      this.end(item, "failed", error.message); // whatever it was, the others go on
      if (!(error instanceof Problem)) reportError(error);
    }
  }

  async withdraw(item) {
    if (item.job) await call(item.job.links.self, { method: "DELETE" }).catch(() => null);
    Object.assign(item, { job: null });
    item.source.jobId = null;
    this.end(item, "canceled");
  }

  step(item, state, progress) {
    Object.assign(item, { state, progress: Math.max(item.progress || 0, progress), message: "" });
    this.changed(item);
  }

  end(item, state, message = "") {
    Object.assign(item, { state, message, progress: state === "done" ? 1 : 0 });
    this.changed(item);
    this.changed();
  }

  /** Start no other upload until `resume`. */
  pause() {
    this.paused = true;
    this.resumed = new Promise((go) => { this.go = go; });
    this.changed();
  }

  resume() {
    this.paused = false;
    this.go?.();
    this.changed();
  }

  /** Stop all that has not ended; what is done stays. */
  cancel() {
    this.abort.abort();
    this.resume();
  }

  /** The progress of all together, from 0 to 1. */
  get progress() {
    const ended = (item) => (ENDED.includes(item.state) ? 1 : item.progress || 0);
    return this.items.length ? this.items.reduce((sum, item) => sum + ended(item), 0) / this.items.length : 0;
  }

  count(state) {
    return this.items.filter((item) => item.state === state).length;
  }
}
