// The card of many images: one bar for all, what failed, and everything as one ZIP.

import { Problem } from "./client.js";
import { named, save } from "./download.js";
import { t } from "./language.js";
import { announce, byId } from "./words.js";

const MOST = 200; // entries of one archive
const NAMED = 8; // files that are asked for by name

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
    const parts = [failed && t("batch.failed", { count: failed }), canceled && t("batch.canceled", { count: canceled })].filter(Boolean);
    const missing = batch.items.filter(({ state }) => state === "missing").map(({ source }) => source.name);
    const names = missing.slice(0, NAMED).join(", ") + (missing.length > NAMED ? " …" : "");
    const why = parts.length ? t("batch.why", { parts: parts.join(", ") }) : "";
    byId("batch-text").textContent = missing.length ? t("batch.choose", { count: missing.length, names }) : why;
    byId("batch-forget").hidden = batch.running || !missing.length;
    byId("batch-pause").hidden = byId("batch-cancel").hidden = !batch.running;
    byId("batch-pause").textContent = t(batch.paused ? "batch.go" : "batch.pause");
    byId("batch-retry").hidden = batch.running || !(failed + canceled);
    byId("batch-retry").textContent = t(failed ? "batch.retry" : "batch.rest", { count: failed + canceled });
    byId("batch-zip").hidden = byId("pattern-row").hidden = batch.running || !done;
    if (this.was && !batch.running) announce(`${t("batch.some", { done, all })}. ${parts.join(", ")}`);
    this.was = batch.running;
  }

  progress() {
    byId("batch-bar").value = this.batch.progress;
  }

  title(done, all) {
    if (this.batch.items.some(({ state }) => state === "missing")) return t("batch.found", { done, all });
    if (!this.batch.running) return t(done === all ? "batch.all" : "batch.some", { done, all });
    return t(this.batch.paused ? "batch.paused" : "batch.running", { done, all });
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
