// The page: a source on the stage, boxes on it, a job made of them, its card beside.

import { Boxes } from "./boxes.js";
import { Problem, call, pause, submit } from "./client.js";
import { TERMINAL, backOff, follow } from "./follow.js";
import { JobCard } from "./jobcard.js";
import { Output, curl, request } from "./output.js";
import { drawRecent, forgetAll, remember } from "./recent.js";
import { fromFile, fromJob, listen, preview } from "./source.js";
import { Stage } from "./stage.js";
import { announce, byId, bytes, copy } from "./words.js";

const app = byId("app");
const { api, ready, page, sample } = app.dataset;
const maxUpload = Number(app.dataset.maxUpload);
const maxPixels = (format) => Number(format === "jpeg" ? app.dataset.maxSourcePixels : app.dataset.maxPixels); // a JPEG may be decoded smaller

let source = null;
let work = null; // {abort, job, state} of the crop under way
let shown = null; // the job on the card
let attempt = { text: "", key: "" };

const card = new JobCard();
const output = new Output(changed);
const stage = new Stage(byId("stage"), byId("original"), {
  onBox: (box, settled) => boxes.heard(box, settled),
  onPick: (index) => boxes.pick(index),
  onZoom: (scale, zoomed) => {
    byId("zoom").textContent = `${Math.round(scale * 100)} %`;
    byId("zoom-out").disabled = !zoomed;
  },
});
const boxes = new Boxes(stage, changed);

// ---- the source

async function take(file) {
  if (work) return complain(new Error("A crop is under way. Wait for it, or cancel it first."));
  try {
    const next = await fromFile(file, maxUpload);
    await open(next);
    card.hide();
    shown = null;
    history.replaceState(null, "", "/");
    document.title = "cropsvc";
    announce(`${source.name}, ${source.size.w} by ${source.size.h} pixels. Set the box, then crop.`);
    byId("stage").focus({ preventScroll: true });
    return true;
  } catch (error) { complain(error); }
  return false;
}

async function open(next, regions = [], rotation = 0) {
  const url = await preview(next, maxPixels(next.format)); // may throw; what is on the stage stays then
  if (source?.file) URL.revokeObjectURL(source.url);
  source = next;
  view("edit");
  stage.shape(rotation % 180 ? { w: next.size.h, h: next.size.w } : next.size);
  await stage.load(url, rotation);
  byId("problem").hidden = true;
  byId("source-name").textContent = next.name || "The original";
  const { w, h } = next.size;
  byId("source-facts").textContent = `${w} × ${h} · ${next.format.toUpperCase()} · ${bytes(next.bytes)}`;
  boxes.start(next.size, regions, rotation);
  if (boxes.ratio) stage.setRatio(boxes.ratio);
  if (work) hold(true);
}

function complain(error) {
  byId("problem").textContent = error.message;
  byId("problem").hidden = false;
}

function view(name) {
  app.dataset.view = name;
  byId("drop").hidden = name === "edit";
  byId("editor").hidden = name !== "edit";
  byId("settings").hidden = name !== "edit";
}

// ---- the request

function parameters() {
  return request(boxes.list, boxes.rotation, output.parameters(source.format));
}

function changed() {
  if (!source || !boxes.box) return;
  output.draw(boxes.box, source.format);
  byId("summary").textContent = output.summary(boxes.box, source.format);
  const again = source.jobId ? " again" : "";
  byId("submit").textContent = boxes.list.length > 1 ? `Crop ${boxes.list.length} boxes${again}` : `Crop${again}`;
  byId("curl").textContent = curl(location.origin + api, parameters(), source.name, output.format(source.format));
}

// One key for one intent: pressed twice, or sent again after an outage, it stays one job.
function keyFor(text) {
  if (attempt.text !== text) attempt = { text, key: randomKey() };
  return attempt.key;
}

const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

function form(again) {
  const data = new FormData();
  for (const [name, value] of Object.entries(parameters())) data.append(name, value);
  if (again) data.append("source", source.jobId);
  else data.append("image", source.file, source.name);
  return data;
}

// ---- the job

async function crop() {
  if (work || !source) return;
  begin();
  try {
    const job = await send();
    began(job);
    await watch(job);
  } catch (error) {
    ended(error);
  } finally {
    finish();
  }
}

function begin() {
  work = { abort: new AbortController(), job: null, canceled: false };
  hold(true);
  byId("problem").hidden = true;
  if (source.jobId) card.sending();
  else card.uploading(0, 0);
  byId("job-title").focus({ preventScroll: true });
  byId("job").scrollIntoView({ block: "nearest" });
}

function finish() {
  work = null;
  hold(false);
  byId("again").hidden = !source;
  changed();
}

function hold(on) {
  stage.freeze(on);
  byId("settings").inert = on;
}

// The upload; an outage is waited out, the Idempotency-Key keeps it one job.
async function send() {
  const text = JSON.stringify([source.url, parameters()]);
  for (let failures = 1; ; failures += 1) {
    try {
      return await submit(api, form(Boolean(source.jobId)), {
        key: keyFor(text),
        signal: work.abort.signal,
        sent: (loaded, total) => card.uploading(loaded, total),
      });
    } catch (error) {
      if (error.status === 410 && source.jobId && source.file) {
        source.jobId = null;
      } else {
        if (!error.passing) throw error;
        card.away(error);
        await pause(backOff(failures, error), work.abort.signal);
      }
    }
  }
}

function began(job) {
  work.job = job;
  attempt = { text: "", key: "" };
  remember(job.id);
  if (source?.file || source?.jobId) source.jobId = job.id;
  history.replaceState(null, "", page + job.id + (boxes.rotation ? `#rotate=${boxes.rotation}` : ""));
}

async function watch(job) {
  if (!TERMINAL.includes(job.state)) card.moving(job);
  if (work.canceled) return cancel();
  const end = await follow(job, {
    ready,
    signal: work.abort.signal,
    heard: (now) => card.moving(now),
    away: (error) => card.away(error),
    stuck: (yes) => yes && card.stuck(),
  });
  return conclude(end);
}

async function conclude(job) {
  shown = job;
  document.title = `${job.state[0].toUpperCase()}${job.state.slice(1)} · cropsvc`;
  if (job.state === "done") await card.done(job, { name: source?.name });
  else card.ended(job.state, job.error?.detail);
  drawRecent({ api, page, except: job.id });
}

function ended(error) {
  if (error.name === "AbortError") return card.ended("canceled", "Nothing was kept.");
  if (!(error instanceof Problem)) throw error;
  const fields = error.errors.map((one) => `${one.field}: ${one.detail}`).join(" ");
  return card.ended(error.code, fields || error.message);
}

async function cancel() {
  if (!work) return;
  work.canceled = true;
  const { job, abort } = work;
  byId("cancel").hidden = true;
  if (job) await call(job.links.self, { method: "DELETE" }).catch(() => null);
  abort.abort();
}

// ---- a job's own page

async function resume(job) {
  shown = job;
  remember(job.id);
  work = { abort: new AbortController(), job, canceled: false };
  const opening = reopen(job);
  try {
    if (TERMINAL.includes(job.state)) await conclude(job);
    else await watch(job);
  } catch (error) {
    ended(error);
  }
  await opening;
  finish();
}

// Bring the original back onto the stage while the service keeps it.
async function reopen(job) {
  const kept = job.links.source && await fetch(job.links.source, { method: "HEAD" }).catch(() => null);
  if (!kept?.ok) {
    byId("drop-lead").textContent = "The original is no longer kept. Choose it again to crop anew";
    return;
  }
  const rotation = Number(new URLSearchParams(location.hash.slice(1)).get("rotate")) || 0;
  const regions = job.outputs.filter((one) => one.region).map(({ region: [x, y, w, h] }) => ({ x, y, w, h }));
  await open(fromJob(job), regions, [90, 180, 270].includes(rotation) ? rotation : 0).catch(complain);
}

// ---- all together

listen(take, { sample, failed: complain });
byId("settings").addEventListener("submit", (event) => { event.preventDefault(); crop(); });
byId("cancel").addEventListener("click", cancel);
byId("again").addEventListener("click", crop);
byId("copy-link").addEventListener("click", ({ target }) => copy(location.href, target));
byId("copy-curl").addEventListener("click", ({ target }) => copy(byId("curl").textContent, target));
byId("zoom-in").addEventListener("click", () => stage.zoomBy(1.25));
byId("zoom-out").addEventListener("click", () => stage.zoomBy(1 / 1.25));
byId("forget").addEventListener("click", forgetAll);
byId("pan").addEventListener("click", ({ currentTarget }) => {
  stage.setPan(!stage.panning);
  currentTarget.setAttribute("aria-pressed", stage.panning);
});

const data = byId("job-data");
if (data) resume(JSON.parse(data.textContent));
else drawRecent({ api, page });
