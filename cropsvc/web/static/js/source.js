// Where the image comes from: chosen, dropped, pasted, the sample, or an earlier job's upload.

import { inStoredPixels } from "./density.js";
import { dropped } from "./folders.js";
import { language, t } from "./language.js";
import { upright } from "../embed/orient.js";
import { formatOf, placeholder, tiffSize } from "../embed/sniff.js";
import { byId, bytes, formatName } from "./words.js";

const reads = (format) => byId("file").accept.split(",").includes(`image/${format}`);
const EVERYWHERE = ["jpeg", "png", "gif"]; // what one browser cannot show of these, none can
const VAST = 50_000_000; // pixels; above, a browser may show nothing, and needs 200 MB for it
const LONG = 16_384; // pixels per side; the limit of common graphics hardware

/** A file as a source, or an Error with a text for the user; nothing is uploaded for that. */
export async function fromFile(file, maxUpload) {
  if (file.size === 0) throw new Error(t("file.empty", { name: file.name }));
  if (file.size > maxUpload) {
    throw new Error(t("file.large", { name: file.name, size: bytes(file.size), most: bytes(maxUpload) }));
  }
  const format = await formatOf(file);
  if (!reads(format)) {
    const { formats } = byId("app").dataset;
    throw new Error(format === "heif" ? t("file.heic") : t("file.other", { name: file.name, formats }));
  }
  const name = file.name || `pasted.${format}`;
  return { file, jobId: null, name, format, bytes: file.size, url: URL.createObjectURL(file) };
}

/** An earlier job's upload, while the service keeps it. */
export function fromJob(job) {
  const { format, bytes: size, width, height } = job.source;
  return { file: null, jobId: job.id, name: "", format, bytes: size, url: job.links.source, size: { w: width, h: height } };
}

/**
 * The URL to show on the stage, once its `size` is known; `ask(source)` gives the service's preview.
 * Throws an Error with a text for the user.
 */
export async function preview(source, maxPixels, ask) {
  source.shown ||= await shown(source, maxPixels, ask);
  within(source.size, maxPixels);
  return source.shown;
}

// Refused before any upload, as the service would refuse it.
function within({ w, h }, maxPixels) {
  if (w * h <= maxPixels) return;
  const [pixels, most] = [w * h, maxPixels].map((count) => count.toLocaleString(language));
  throw new Error(t("file.pixels", { w, h, pixels, most }));
}

async function shown(source, maxPixels, ask) {
  const image = await loaded(source.url);
  if (!image) return elsewhere(source, ask);
  within(sizeOf(image), maxPixels);
  if (!isVast(sizeOf(image))) return ownView(source, image);
  return ask(source).catch((error) => {
    if (error.name === "AbortError") throw error;
    return ownView(source, image);
  });
}

async function ownView(source, image) {
  const url = await (source.format === "webp" ? upright : inStoredPixels)(source, image);
  if (!url) throw new Error(t("file.broken", { name: source.name }));
  source.size = sizeOf(url === source.url ? image : await loaded(url));
  return url;
}

// What the browser cannot show: by the service, or as a blank of the right size.
async function elsewhere(source, ask) {
  const broken = new Error(t("file.broken", { name: source.name }));
  if (EVERYWHERE.includes(source.format)) throw broken;
  try { return await ask(source); } catch (error) {
    if (error.name === "AbortError") throw error;
    source.size ||= source.format === "tiff" && source.file ? await tiffSize(source.file) : null;
    if (!source.size) throw error;
    return placeholder(source.size, t("stage.none", { format: formatName(source.format) }));
  }
}

const isVast = ({ w, h }) => w * h > VAST || Math.max(w, h) > LONG;

const sizeOf = (image) => ({ w: image.naturalWidth, h: image.naturalHeight });

function loaded(url) {
  return new Promise((done) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => done(null);
    image.src = url;
  });
}

/** Call `take(files)` for each way files can come to the page; `sample` is the sample's URL. */
export function listen(takeAll, { sample, failed }) {
  const take = (...files) => takeAll(files);
  for (const [button, input] of [["choose", "file"], ["change", "file"], ["camera", "photo"], ["tray-add", "file"]]) {
    byId(button).addEventListener("click", () => byId(input).click());
  }
  for (const id of ["file", "photo"]) {
    const input = byId(id);
    const chosen = () => {
      if (input.files[0]) take(...input.files);
      input.value = ""; // so that the same file can be chosen again
    };
    input.addEventListener("change", chosen);
    chosen(); // before this script ran
  }
  byId("sample").addEventListener("click", async () => {
    const answer = await fetch(sample).catch(() => null);
    if (!answer?.ok) return failed(new Error(t("file.sample")));
    return take(new File([await answer.blob()], "sample.jpg", { type: "image/jpeg" }));
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files].filter((one) => one.size);
    if (files.length) { event.preventDefault(); take(...files); }
  });
  listenForDrops(take);
}

function listenForDrops(take) {
  const over = (on) => document.body.classList.toggle("dropping", on);
  const files = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  document.addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; over(true); } });
  document.addEventListener("dragleave", (event) => { if (files(event)) { depth -= 1; over(depth > 0); } });
  document.addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    dropped(event.dataTransfer).then((all) => all.length && take(...all));
  });
}
