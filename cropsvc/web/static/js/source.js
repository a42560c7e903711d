// Where the image comes from: chosen, dropped, pasted, the sample, or an earlier job's upload.

import { inStoredPixels } from "./density.js";
import { dropped } from "./folders.js";
import { upright } from "./orient.js";
import { formatOf, placeholder, tiffSize } from "./sniff.js";
import { byId, bytes } from "./words.js";

const READ = byId("file").accept.split(",").map((type) => type.slice("image/".length));

/** A file as a source, or an Error with a text for the user; nothing is uploaded for that. */
export async function fromFile(file, maxUpload) {
  if (file.size === 0) throw new Error(`“${file.name}” is empty.`);
  if (file.size > maxUpload) {
    throw new Error(`“${file.name}” has ${bytes(file.size)}; the service takes up to ${bytes(maxUpload)}.`);
  }
  const format = await formatOf(file);
  if (format === "heic") throw new Error("HEIC pictures are not read here. Export it as JPEG, then choose that.");
  if (!READ.includes(format)) {
    throw new Error(`“${file.name}” is not an image this service reads: ${byId("formats").textContent}.`);
  }
  const name = file.name || `pasted.${format}`;
  return { file, jobId: null, name, format, bytes: file.size, url: URL.createObjectURL(file) };
}

/** An earlier job's upload, while the service keeps it. */
export function fromJob(job) {
  const { format, bytes: size, width, height } = job.source;
  return { file: null, jobId: job.id, name: "", format, bytes: size, url: job.links.source, size: { w: width, h: height } };
}

/** The URL to show on the stage, once its `size` is known; throws an Error with a text for the user. */
export async function preview(source, maxPixels) {
  const image = await loaded(source.url);
  const url = image ? await shown(source, image) : await standIn(source);
  if (!url) throw new Error(`“${source.name}” cannot be read; the file seems to be broken.`);
  if (image) source.size = sizeOf(url === source.url ? image : await loaded(url));
  const { w, h } = source.size;
  if (w * h <= maxPixels) return url;
  const [has, most] = [w * h, maxPixels].map((count) => count.toLocaleString("en"));
  throw new Error(`This image has ${w} × ${h} = ${has} pixels; the service takes up to ${most}.`);
}

const shown = (source, image) => (source.format === "webp" ? upright : inStoredPixels)(source, image);

const sizeOf = (image) => ({ w: image.naturalWidth, h: image.naturalHeight });

function loaded(url) {
  return new Promise((done) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => done(null);
    image.src = url;
  });
}

// What to show where the browser cannot show the format: a blank of the right size, or null.
async function standIn(source) {
  source.size ||= source.format === "tiff" ? await tiffSize(source.file) : null;
  return source.size ? placeholder(source.size, `No preview of ${source.format.toUpperCase()} in this browser`) : null;
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
    if (!answer?.ok) return failed(new Error("The sample could not be fetched. Is the server away?"));
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
