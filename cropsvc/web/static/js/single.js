// The crop of one image: upload, queue, work, result on the card.

import { Problem, call } from "./client.js";
import { TERMINAL, follow } from "./follow.js";
import { language, t } from "./language.js";
import { drawRecent, remember } from "./recent.js";
import { randomKey, send } from "./send.js";
import { byId } from "./words.js";

export class Single {
  /** `hold(on)` locks the editor, `parameters()` are those of the request, `finished()` is the end. */
  constructor({ card, api, ready, page, hold, parameters, finished }) {
    Object.assign(this, { card, api, ready, page, hold, parameters, finished });
    this.work = null; // {abort, job, canceled} of the crop under way
    this.attempt = { text: "", key: "" };
  }

  get running() {
    return this.work !== null;
  }

  /** Crop the item on the stage. */
  async crop(item, aspect) {
    const { source } = item;
    this.begin(source);
    try {
      item.asked = this.parameters();
      const job = await this.send(item);
      this.began(job, source, aspect);
      item.job = await this.watch(job, source.name);
    } catch (error) {
      this.ended(error);
    } finally {
      this.finish();
    }
  }

  begin({ jobId }) {
    this.work = { abort: new AbortController(), job: null, canceled: false };
    this.hold(true);
    byId("problem").hidden = true;
    if (jobId) this.card.sending();
    else this.card.uploading(0, 0);
    byId("job-title").focus({ preventScroll: true });
    byId("job").scrollIntoView({ block: "nearest" });
  }

  finish() {
    this.work = null;
    this.hold(false);
    this.finished();
  }

  send({ source, asked }) {
    return send(this.api, source, asked, {
      key: this.keyFor(JSON.stringify([source.url, asked])),
      signal: this.work.abort.signal,
      sent: (loaded, total) => this.card.uploading(loaded, total),
      away: (error) => this.card.away(error),
    });
  }

  // One key for one intent: pressed twice, or sent again after an outage, it stays one job.
  keyFor(text) {
    if (this.attempt.text !== text) this.attempt = { text, key: randomKey() };
    return this.attempt.key;
  }

  began(job, source, aspect) {
    this.work.job = job;
    this.attempt = { text: "", key: "" };
    remember(job.id);
    source.jobId = job.id;
    history.replaceState({ aspect }, "", this.page + job.id); // the job does not know the shape
  }

  async watch(job, name) {
    if (!TERMINAL.includes(job.state)) this.card.moving(job);
    if (this.work.canceled) return this.cancel();
    const end = await follow(job, {
      ready: this.ready,
      signal: this.work.abort.signal,
      heard: (now) => this.card.moving(now),
      away: (error) => this.card.away(error),
      stuck: (yes) => yes && this.card.stuck(),
    });
    await this.conclude(end, name);
    return end;
  }

  async conclude(job, name) {
    document.title = `${t(`title.${job.state}`)} · cropsvc`;
    if (job.state === "done") await this.card.done(job, { name });
    else this.card.ended(job.state, job.error?.detail);
    drawRecent({ api: this.api, page: this.page, except: job.id });
  }

  ended(error) {
    if (error.name === "AbortError") return this.card.ended("canceled", t("job.nothing"), language);
    if (!(error instanceof Problem)) throw error;
    const fields = error.errors.map((one) => `${one.field}: ${one.detail}`).join(" ");
    return this.card.ended(error.code, fields || error.message, error.code ? "en" : language);
  }

  async cancel() {
    if (!this.work) return;
    this.work.canceled = true;
    const { job, abort } = this.work;
    byId("cancel").hidden = true;
    if (job) await call(job.links.self, { method: "DELETE" }).catch(() => null);
    abort.abort();
  }

  /** Follow a job that has its own page. */
  async resume(job, name) {
    remember(job.id);
    this.work = { abort: new AbortController(), job, canceled: false };
    try {
      if (TERMINAL.includes(job.state)) await this.conclude(job, name);
      else await this.watch(job, name);
    } catch (error) {
      this.ended(error);
    } finally {
      this.work = null;
    }
  }
}
