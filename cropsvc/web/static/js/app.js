// The page: images, the one on the stage with its boxes, the settings for all, and the crops.

import { Batch } from "./batch.js";
import { BatchCard } from "./batchcard.js";
import { Boxes } from "./boxes.js";
import { Editor } from "./editor.js";
import { fixesOf } from "./fixes.js";
import { Horizon } from "./horizon.js";
import { JobCard } from "./jobcard.js";
import { t } from "./language.js";
import { Output, curl, request } from "./output.js";
import { Presets } from "./presets.js";
import { drawRecent, forgetAll } from "./recent.js";
import { keep, remembered } from "./remembered.js";
import { settingsOf } from "./restore.js";
import { Single } from "./single.js";
import { fromFile, fromJob, listen } from "./source.js";
import { Stage } from "./stage.js";
import { Tray } from "./tray.js";
import { LastVisit, keepBatch } from "./visit.js";
import { announce, byId, complain, copy } from "./words.js";
import { drawZoom, listenForZoom } from "./zoom.js";

const { api, ready, page, sample, maxUpload } = byId("app").dataset;

const card = new JobCard({ original: () => editor.original, fixes });
const output = new Output(changed);
const stage = new Stage(byId("stage"), byId("original"), {
  onBox: (box, settled) => boxes.heard(box, settled),
  onPick: (index) => boxes.pick(index),
  onZoom: drawZoom,
});
const boxes = new Boxes(stage, changed);
const presets = new Presets(({ aspect, box, output: settings }) => {
  output.restore(settings);
  boxes.shaping.set(aspect);
  if (box) boxes.take(box);
  else boxes.reshape();
});
new Horizon(byId("stage"), byId("horizon"), (off) => boxes.straighten(off));
const editor = new Editor({ stage, boxes, output, changed });
const batch = new Batch({ api, ready, changed: moved });
const batchCard = new BatchCard(batch, { retry });
const visit = new LastVisit({ api, batch, card: batchCard });
const tray = new Tray({ select, remove });
const single = new Single({ card, api, ready, page, hold, parameters, finished });

const busy = () => single.running || batch.running;

// ---- the images

async function take(files) {
  if (busy()) return complain(t("file.busy"));
  byId("problem").hidden = true;
  const { rest, taken } = visit.claim(files);
  if (taken) {
    if (rest.length) complain(t("file.busy"));
    return visit.goOn();
  }
  const adding = editor.many || (files.length > 1 && editor.items.length === 1 && !editor.current.source.jobId);
  const found = [];
  const refused = [];
  for (const file of files) {
    try { found.push({ source: await fromFile(file, Number(maxUpload)), state: "ready" }); }
    catch (error) { refused.push(error.message); }
  }
  if (found.length) await show(found, adding);
  if (refused.length) complain(refused.length > 1 ? t("file.left-out", { count: refused.length, first: refused[0] }) : refused[0]);
  return null;
}

async function show(found, adding) {
  const before = editor.items;
  const now = adding ? [...before, ...found] : found;
  editor.items = now;
  if (!await select(found[0])) {
    if (editor.items === now) editor.items = before; // or others were chosen since
    return;
  }
  if (!adding) editor.release(before);
  card.hide();
  batchCard.hide();
  visit.leave();
  history.replaceState(null, "", "/");
  document.title = "cropsvc";
  const { name, size } = editor.current.source;
  announce(editor.many ? t("stage.many", { count: editor.items.length, name }) : t("stage.one", { name, ...size }));
  byId("stage").focus({ preventScroll: true });
}

async function select(item) {
  if (single.running) return false;
  try { await editor.open(item); }
  catch (error) { complain(error.message); return false; }
  if (editor.current !== item) return false; // another one was chosen while it loaded
  byId("problem").hidden = true;
  hold(busy());
  tray.show(editor.items, item);
  if (item.job?.state === "done") await card.done(item.job, { name: item.source.name });
  else if (item.state === "failed") card.ended("failed", item.message);
  else card.hide();
  return true;
}

async function remove(item) {
  if (busy()) return;
  const at = editor.items.indexOf(item);
  editor.items = editor.items.filter((one) => one !== item);
  editor.release([item]);
  await select(editor.items[Math.min(at, editor.items.length - 1)]);
  changed();
}

// ---- the request

function parameters() {
  const { source } = editor.current;
  return presets.applied(request(boxes.list, boxes.angle, output.parameters(source.format)));
}

function changed() {
  const { source } = editor.current || {};
  if (!source || !boxes.box) return;
  editor.draw();
  const all = editor.items.length;
  const label = boxes.list.length > 1 ? t("crop.boxes", { count: boxes.list.length }) : t("crop");
  byId("submit").textContent = editor.many ? t("crop.all", { count: all }) : label;
  byId("apply-all").hidden = !editor.many;
  byId("change").hidden = editor.many;
  byId("curl").textContent = curl(location.origin + api, parameters(), source.name, output.format(source.format));
}

// ---- the crops

function crop() {
  const { wrong } = output;
  if (wrong) return wrong.focus();
  if (busy() || !editor.current) return null;
  keep({ aspect: boxes.shaping.aspect, output: output.settings });
  return editor.many ? cropAll(editor.items) : single.crop(editor.current, boxes.shaping.aspect);
}

function retry() {
  if (visit.items.length) return visit.retry();
  return cropAll(editor.items.filter((item) => ["failed", "canceled"].includes(item.state)));
}

async function cropAll(items) {
  if (busy()) return;
  editor.keep();
  card.hide();
  const pairs = (item) => presets.applied(editor.pairs(item));
  hold(true);
  const ended = batch.run(items, pairs);
  byId("batch").scrollIntoView({ block: "nearest" });
  await ended;
  batch.items = editor.items;
  batchCard.draw();
  hold(false);
  await select(editor.current);
  drawRecent({ api, page });
}

function moved(item) {
  if (!item) {
    keepBatch(batch.items);
    return batchCard.draw();
  }
  tray.draw(item);
  return batchCard.progress();
}

function hold(on) {
  stage.freeze(on);
  byId("settings").inert = byId("straighten").inert = on;
}

function fixes(job, made) {
  if (editor.many || !editor.current) return [];
  return fixesOf(job, made, output.settings).map(({ text, settings }) => ({
    text,
    apply: () => { output.restore({ ...output.settings, ...settings }); changed(); crop(); },
  }));
}

function finished() {
  byId("again").hidden = !editor.current;
  changed();
}

// ---- a job's own page

async function resume(job, asked) {
  const settings = settingsOf(job, asked.outputs, history.state?.aspect);
  const watching = single.resume(job, asked.name);
  await Promise.all([watching, reopen(job, settings, asked.name)]);
  hold(busy());
  finished();
}

// Bring the original back onto the stage while the service keeps it.
async function reopen(job, settings, name) {
  output.restore(settings.output);
  boxes.shaping.set(settings.aspect);
  const kept = job.links.source && await fetch(job.links.source, { method: "HEAD" }).catch(() => null);
  if (!kept?.ok) {
    byId("drop-lead").textContent = t("job.original.gone");
    return;
  }
  const item = { source: { ...fromJob(job), name }, state: "ready", layout: { ...settings, touched: true } };
  editor.items = [item];
  await editor.open(item).then(() => hold(busy()), (error) => complain(error.message));
}

// ---- all together

function next() {
  if (!editor.many || !tray.step(1)) byId("file").click();
}

listenForZoom(stage);
listen(take, { sample, failed: (error) => complain(error.message) });
byId("settings").addEventListener("submit", (event) => { event.preventDefault(); crop(); });
byId("cancel").addEventListener("click", () => single.cancel());
byId("again").addEventListener("click", crop);
byId("next").addEventListener("click", next);
byId("apply-all").addEventListener("click", ({ target }) => editor.applyToAll(target));
byId("copy-link").addEventListener("click", ({ target }) => copy(location.origin + card.link, target));
byId("copy-curl").addEventListener("click", ({ target }) => copy(byId("curl").textContent, target));
byId("forget").addEventListener("click", () => { forgetAll(); visit.forget(); });
byId("round").addEventListener("change", ({ target }) => document.body.classList.toggle("round", target.checked));
byId("stage").addEventListener("keydown", ({ key }) => {
  if (key === "PageDown" || key === "PageUp") tray.step(key === "PageDown" ? 1 : -1);
});

const data = (id) => byId(id) && JSON.parse(byId(id).textContent);
if (byId("job-data")) {
  resume(data("job-data"), data("asked-data"));
} else {
  const last = remembered();
  if (presets.name) { // the operator allows nothing else
    presets.fill();
  } else if (last) {
    output.restore(last.output || {});
    boxes.shaping.set(last.aspect || "");
  }
  drawRecent({ api, page });
  visit.begin();
}
