// The job's card: phases and progress in one bar, then the images.

import { canCopyImages, copyImage } from "./clipboard.js";
import { save, stem, suffix } from "./download.js";
import { announce, bytes, byId, flash, saving } from "./words.js";

const STEPS = ["upload", "queued", "decoding", "cropping", "encoding"];
const TITLES = {
  upload: "Uploading", queued: "Waiting in the queue", running: "Cropping",
  done: "Your crop is ready", failed: "This crop failed", canceled: "This crop was canceled",
  expired: "This crop has expired", deleted: "This crop was deleted",
};
const DOING = { decoding: "Reading the image", cropping: "Cutting out the box", encoding: "Writing the result" };
const BUTTONS = ["cancel", "copy-link", "again", "next"];

const PATIENCE = {
  busy: "The service is busy, trying again in a moment.",
  "rate-limited": "Many requests came from here. It goes on automatically in a moment.",
};

const NOTES = {
  clamped: "The box reached over the edge and was cut there.",
  "animation-flattened": "Only the first frame is kept.",
  "alpha-flattened": "Transparency became the background colour.",
  "profile-converted": "Colours were converted to sRGB.",
  enlarged: "The image was enlarged.",
  "metadata-dropped": "Camera data and location were left out.",
  "pages-dropped": "Only the first page is kept.",
  "source-truncated": "A part of the file is missing or damaged. The rest was cropped.",
  "tone-mapped": "HDR brightness was reduced to what every screen shows.",
  "gain-map-dropped": "HDR brightness is not kept.",
  "quality-lowered": "The quality was lowered so that the file fits.",
  "video-dropped": "The video in the photo is not kept.",
};

export class JobCard {
  constructor() {
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
    const rest = fraction < 1 ? `${bytes(sent)} of ${bytes(all)} sent` : "All sent, waiting for the answer";
    this.say(all ? rest : "Sending", false);
  }

  /** A source that the server has already: nothing to upload. */
  sending() {
    this.step("upload", "upload", { upload: 1, work: 0 });
    this.say("The original is on the server already.", false);
  }

  /** A job that has not ended. */
  moving(job) {
    const step = job.state === "queued" ? "queued" : job.stage;
    this.step(job.state, STEPS.includes(step) ? step : "decoding", { upload: 1, work: job.progress });
    if (job.state === "running") return this.say(`${DOING[step] || "Working"}, ${Math.round(job.progress * 100)} %`, false);
    return this.say(job.position > 1 ? `Place ${job.position} in the queue.` : "Next in the queue.", true);
  }

  /** Nothing works on the queue. */
  stuck() {
    this.card.dataset.trouble = "worker";
    this.say("No worker is running at the moment. The crop keeps its place and goes on automatically when one starts.", true);
  }

  /** The server does not answer, or asks for patience. */
  away(error) {
    this.card.dataset.trouble = "away";
    this.say(PATIENCE[error.code] || "The server is away, trying again. Nothing is lost, you can leave this page open.", true);
  }

  /** The text for an end without an image. */
  ended(code, detail) {
    const state = TITLES[code] ? code : "failed";
    byId("outputs").replaceChildren();
    this.finish(TITLES[state]);
    this.card.dataset.state = state;
    this.say(detail || "", false);
    announce(`${TITLES[state]}. ${detail || ""}`);
    byId("again").textContent = "Try again";
    this.buttons(["next"]);
  }

  /** The images, each shown once its bytes are decoded. */
  async done(job, { name }) {
    const cards = job.outputs.map((output) => this.output(job, output, name));
    await Promise.allSettled(cards.map((card) => card.querySelector("img")).map((img) => img.src && img.decode()));
    byId("outputs").replaceChildren(...cards);
    this.link = job.links.page;
    this.finish(job.outputs.length > 1 ? "Your crops are ready" : TITLES.done);
    this.card.dataset.state = "done";
    this.say(job.cached ? "Made before, so it came at once." : "", false);
    byId("again").textContent = "Crop again";
    this.buttons(["copy-link", "next"]);
    announce(cards.length > 1 ? `${cards.length} crops are ready.` : "The crop is ready.");
  }

  output(job, output, name) {
    const card = byId("output-card").content.firstElementChild.cloneNode(true);
    const find = (selector) => card.querySelector(selector);
    if (output.error) {
      find("a.picture").remove();
      find(".download").remove();
      find(".copy-image").remove();
      find(".why").textContent = output.error.detail;
      return card;
    }
    const several = job.outputs.length > 1;
    const title = several ? `Crop ${job.outputs.indexOf(output) + 1}` : "The cropped image";
    Object.assign(find("img"), { alt: title, width: output.width, height: output.height, src: output.url });
    find("a.picture").href = output.url;
    find(".facts").textContent = `${output.width} × ${output.height} · ${output.format.toUpperCase()} · ${bytes(output.bytes)}`;
    const difference = several ? "" : saving(output.bytes, job.source?.bytes);
    find(".saving").textContent = difference;
    find(".saving").classList.toggle("larger", difference.endsWith("larger"));
    const quality = output.quality ? `Quality ${output.quality}. ` : "";
    find(".notes").textContent = quality + output.notes.map((note) => NOTES[note] || note).join(" ");
    find(".download").href = output.url;
    const file = fileName(name, several ? output.name : "crop", output.format);
    find(".download").addEventListener("click", (event) => fetched(event, output.url, file));
    find(".download").setAttribute("aria-label", `Download ${title.toLowerCase()}`);
    const copying = find(".copy-image");
    copying.hidden = !canCopyImages();
    copying.addEventListener("click", () => copyImage(output.url).then(
      () => flash(copying, "Copied"), () => flash(copying, "The browser refused")));
    return card;
  }

  step(state, current, { upload, work }) {
    delete this.card.dataset.trouble;
    Object.assign(this.card, { hidden: false });
    this.card.dataset.state = state;
    byId("job-title").textContent = TITLES[state];
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

  say(text, aloud) {
    byId("job-words").textContent = text;
    this.bar.setAttribute("aria-valuetext", text);
    if (aloud && text !== this.said) announce(text);
    this.said = text;
  }

  buttons(shown) {
    for (const id of BUTTONS) byId(id).hidden = !shown.includes(id);
  }
}

// The server does not know the image's name, and its header would win over the link's.
async function fetched(event, url, name) {
  event.preventDefault();
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) return save(await answer.blob(), name);
  byId("job-words").textContent = "The image could not be fetched. It may have expired, or the server is away.";
  return null;
}

const fileName = (name, part, format) => `${stem(name)}-${part}.${suffix(format)}`;
