// The card of one output: the image, its facts, and what can be done with it.

import { canCopyImages, copyImage } from "./clipboard.js";
import { comparison } from "./compare.js";
import { save, stem, suffix } from "./download.js";
import { has, t } from "./language.js";
import { canShare, share } from "./share.js";
import { byId, bytes, flash, saving } from "./words.js";

/**
 * The card as an element. `original` is what the result can be compared with, or null; `fixes` are
 * [{text, apply}], each a button beside the notes.
 */
export function outputCard(job, output, { name, original, fixes }) {
  const card = byId("output-card").content.firstElementChild.cloneNode(true);
  const find = (selector) => card.querySelector(selector);
  if (output.error) {
    for (const one of ["a.picture", ".download", ".more-actions"]) find(one).remove();
    find(".why").textContent = output.error.detail;
    return card;
  }
  const several = job.outputs.length > 1;
  const number = job.outputs.indexOf(output) + 1;
  const file = `${stem(name)}-${several ? output.name : "crop"}.${suffix(output.format)}`;
  const alt = t(several ? "job.image.number" : "job.image", { number });
  Object.assign(find("img"), { alt, width: output.width, height: output.height, src: output.url });
  find("a.picture").href = output.url;
  find(".facts").textContent = `${output.width} × ${output.height} · ${output.format.toUpperCase()} · ${bytes(output.bytes)}`;
  find(".saving").textContent = several ? "" : saving(output.bytes, job.source?.bytes);
  find(".saving").classList.toggle("larger", output.bytes > job.source?.bytes);
  find(".notes").replaceChildren(notes(output), ...fixes.map(fixing));
  find(".download").href = output.url;
  find(".download").addEventListener("click", (event) => fetched(event, output.url, file));
  find(".download").setAttribute("aria-label", t(several ? "job.download.number" : "job.download", { number }));
  offer(find(".copy-image"), canCopyImages(), () => copyImage(output.url), t("copied"));
  offer(find(".share"), canShare(output.format), () => share(output.url, file, output.format));
  compare(card, output, original);
  return card;
}

function notes(output) {
  const quality = output.quality ? `${t("job.quality", output)} ` : "";
  return quality + output.notes.map((note) => (has(`note.${note}`) ? t(`note.${note}`) : note)).join(" ");
}

function fixing({ text, apply }) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "small keep", textContent: text });
  button.addEventListener("click", apply);
  return button;
}

// A button for what some browsers cannot do, and may refuse.
function offer(button, can, act, done) {
  button.hidden = !can;
  button.addEventListener("click", () => act().then(() => done && flash(button, done), () => flash(button, t("refused"))));
}

function compare(card, output, original) {
  const button = card.querySelector(".compare-with");
  const image = card.querySelector("a.picture");
  let view = null;
  button.hidden = !original;
  button.addEventListener("click", async () => {
    if (view?.isConnected) view.replaceWith(image);
    else image.replaceWith(view ||= await comparison(output, original));
    button.setAttribute("aria-pressed", view.isConnected);
  });
}

// The server does not know the image's name, and its header would win over the link's.
async function fetched(event, url, name) {
  event.preventDefault();
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) return save(await answer.blob(), name);
  byId("job-words").textContent = t("job.fetch.failed");
  return null;
}
