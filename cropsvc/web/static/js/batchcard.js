// The card of many images: one bar for all, what failed, and everything as one ZIP.

import { Problem } from "./client.js";
import { named, save } from "./download.js";
import { announce, byId } from "./words.js";

const MOST = 200; // entries of one archive

export class BatchCard {
  /** `retry()` is called for the failed ones. */
  constructor(batch, { retry }) {
    this.batch = batch;
    byId("batch-pause").addEventListener("click", () => (batch.paused ? batch.resume() : batch.pause()));
    byId("batch-cancel").addEventListener("click", () => batch.cancel());
    byId("batch-retry").addEventListener("click", retry);
    byId("batch-zip").addEventListener("click", () => this.archive());
  }

  hide() {
    byId("batch").hidden = true;
  }

  draw() {
    const { batch } = this;
    const [all, done, failed, canceled] = [batch.items.length, ...["done", "failed", "canceled"].map((state) => batch.count(state))];
    if (!all) return;
    byId("batch").hidden = false;
    byId("batch-bar").value = batch.progress;
    byId("batch-bar").hidden = !batch.running;
    byId("batch-title").textContent = this.title(done, all);
    const parts = [failed && `${failed} failed`, canceled && `${canceled} canceled`].filter(Boolean);
    byId("batch-text").textContent = parts.length ? `${parts.join(", ")}. Choose one in the list to see why.` : "";
    byId("batch-pause").hidden = byId("batch-cancel").hidden = !batch.running;
    byId("batch-pause").textContent = batch.paused ? "Go on" : "Pause";
    byId("batch-retry").hidden = batch.running || !(failed + canceled);
    byId("batch-retry").textContent = failed ? `Try the ${failed + canceled} again` : `Crop the other ${canceled}`;
    byId("batch-zip").hidden = byId("pattern-row").hidden = batch.running || !done;
    if (this.was && !batch.running) announce(`${done} of ${all} images are cropped. ${parts.join(", ")}`);
    this.was = batch.running;
  }

  progress() {
    byId("batch-bar").value = this.batch.progress;
  }

  title(done, all) {
    if (!this.batch.running) return done === all ? `All ${all} images are cropped` : `${done} of ${all} images are cropped`;
    return this.batch.paused ? `Paused: ${done} of ${all} are cropped` : `Cropping: ${done} of ${all} are done`;
  }

  async archive() {
    const button = byId("batch-zip");
    button.disabled = true;
    try {
      const entries = this.entries();
      for (let start = 0; start < entries.length; start += MOST) {
        const blob = await zipped(entries.slice(start, start + MOST));
        save(blob, entries.length > MOST ? `crops-${start / MOST + 1}.zip` : "crops.zip");
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      byId("batch-text").textContent = error.message;
    } finally {
      button.disabled = false;
    }
  }

  entries() {
    const pattern = byId("pattern").value.trim() || byId("pattern").placeholder;
    const done = this.batch.items.filter((item) => item.state === "done");
    return done.flatMap(({ job, source }, index) => job.outputs.filter((output) => !output.error).map((output) => {
      const several = job.outputs.length > 1 ? `-${output.name}` : "";
      return { id: job.id, output: output.name, name: named(pattern, source.name, output, index + 1) + several };
    }));
  }
}

async function zipped(entries) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/v1/archive", { method: "POST", headers, body: JSON.stringify({ entries }) }).catch(() => null);
  if (!answer) throw new Problem({}, 0);
  if (!answer.ok) throw new Problem(await answer.json().catch(() => ({})), answer.status);
  return answer.blob();
}
