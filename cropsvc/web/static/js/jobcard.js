// The job's card: phases and progress in one bar, then the images.

import { has, language, t } from "./language.js";
import { outputCard } from "./outputcard.js";
import { announce, bytes, byId } from "./words.js";

const STEPS = ["upload", "queued", "decoding", "cropping", "encoding"];
const ENDS = ["done", "failed", "canceled", "expired", "deleted"];
const PATIENCE = ["busy", "rate-limited"];
const BUTTONS = ["cancel", "copy-link", "again", "next"];

export class JobCard {
  /** `original()` gives what results are compared with, `fixes(job, output)` what may keep more of it. */
  constructor({ original, fixes }) {
    Object.assign(this, { original, fixes });
    this.card = byId("job");
    this.bar = byId("progress");
    this.said = "";
  }

  hide() {
    this.card.hidden = true;
  }

  /** The upload, as the bytes that have really left. */
  uploading(sent, all) {
    const fraction = all ? sent / all : 0;
    this.step("upload", "upload", { upload: fraction, work: 0 });
    const rest = fraction < 1 ? t("job.sent", { sent: bytes(sent), all: bytes(all) }) : t("job.sent.all");
    this.say(all ? rest : t("job.sending"), false);
  }

  /** A source that the server has already: nothing to upload. */
  sending() {
    this.step("upload", "upload", { upload: 1, work: 0 });
    this.say(t("job.there"), false);
  }

  /** A job that has not ended. */
  moving(job) {
    const step = job.state === "queued" ? "queued" : job.stage;
    this.step(job.state, STEPS.includes(step) ? step : "decoding", { upload: 1, work: job.progress });
    if (job.state === "running") return this.say(t(`job.${has(`job.${step}`) ? step : "working"}`, { percent: Math.round(job.progress * 100) }), false);
    return this.say(t(job.position > 1 ? "job.place" : "job.first", { position: job.position }), true);
  }

  /** Nothing works on the queue. */
  stuck() {
    this.card.dataset.trouble = "worker";
    this.say(t("job.stuck"), true);
  }

  /** The server does not answer, or asks for patience. */
  away(error) {
    this.card.dataset.trouble = "away";
    this.say(t(PATIENCE.includes(error.code) ? `job.${error.code}` : "job.away"), true);
  }

  /** The text for an end without an image; details from the service are in English. */
  ended(code, detail, lang = "en") {
    const state = ENDS.includes(code) ? code : "failed";
    byId("outputs").replaceChildren();
    this.finish(t(`job.${state}`));
    this.card.dataset.state = state;
    this.say(detail || "", false, lang);
    announce(`${t(`job.${state}`)}. ${detail || ""}`);
    byId("again").textContent = t("again.failed");
    this.buttons(["next"]);
  }

  /** The images, each shown once its bytes are decoded. */
  async done(job, { name }) {
    const { original, fixes } = this;
    const cards = job.outputs.map((output) => outputCard(job, output, { name, original: original(), fixes: fixes(job, output) }));
    await Promise.allSettled(cards.map((card) => card.querySelector("img")).map((img) => img.src && img.decode()));
    byId("outputs").replaceChildren(...cards);
    this.link = job.links.page;
    this.finish(t(job.outputs.length > 1 ? "job.several" : "job.done"));
    this.card.dataset.state = "done";
    this.say(job.cached ? t("job.cached") : "", false);
    byId("again").textContent = t("again");
    this.buttons(["copy-link", "next"]);
    announce(t(cards.length > 1 ? "job.ready.many" : "job.ready", { count: cards.length }));
  }

  step(state, current, { upload, work }) {
    delete this.card.dataset.trouble;
    Object.assign(this.card, { hidden: false });
    this.card.dataset.state = state;
    byId("job-title").textContent = t(`job.${state}`);
    byId("outputs").replaceChildren();
    this.bar.hidden = false;
    byId("steps").hidden = false;
    this.bar.dataset.step = current;
    this.bar.querySelector(".part-upload i").style.width = `${upload * 100}%`;
    this.bar.querySelector(".part-queue i").style.width = STEPS.indexOf(current) > 1 ? "100%" : "0";
    this.bar.querySelector(".part-work i").style.width = `${work * 100}%`;
    this.value(Math.round(upload * 30 + (STEPS.indexOf(current) > 1 ? 10 : 0) + work * 60));
    for (const [index, item] of [...byId("steps").children].entries()) {
      item.className = index < STEPS.indexOf(current) ? "past" : "";
      if (item.dataset.step === current) item.className = "now";
    }
    this.buttons(["cancel"]);
  }

  value(percent) {
    this.bar.setAttribute("aria-valuenow", percent);
  }

  finish(title) {
    delete this.card.dataset.trouble;
    this.card.hidden = false;
    this.bar.hidden = true;
    byId("steps").hidden = true;
    byId("job-title").textContent = title;
  }

  say(text, aloud, lang = language) {
    Object.assign(byId("job-words"), { textContent: text, lang });
    this.bar.setAttribute("aria-valuetext", text);
    if (aloud && text !== this.said) announce(text);
    this.said = text;
  }

  buttons(shown) {
    for (const id of BUTTONS) byId(id).hidden = !shown.includes(id);
  }
}
