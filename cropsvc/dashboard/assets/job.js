import { element, follow, onPress, percent, when } from "./page.js";

const head = document.querySelector("#job");
const bar = document.querySelector("#bar");
let urls = {};

const text = (words) => (words ? element("pre", {}, words) : null);

const FACTS = [
  ["State", (job) => job.state ?? "no record"],
  ["Stage", (job) => job.stage],
  ["Waits as number", (job) => job.record?.position],
  ["Owner", (job) => job.record?.owner],
  ["Upload", (job) => job.record?.source],
  ["Asked for", (job) => text(job.record?.request)],
  ["RQ's status", (job) => job.status],
  ["Description", (job) => job.description],
  ["Function", (job) => job.function],
  ["Queue", (job) => job.origin],
  ["Worker", (job) => job.worker],
  ["Created", (job) => when(job.created_at)],
  ["Enqueued", (job) => when(job.enqueued_at)],
  ["Started", (job) => when(job.started_at)],
  ["Ended", (job) => when(job.ended_at)],
  ["Metadata", (job) => text(job.metadata)],
  ["Result", (job) => text(job.result)],
];

function show(job) {
  urls = job.urls;
  for (const name of ["requeue", "cancel", "delete"]) {
    document.querySelector(`#${name}`).hidden = !urls[name];
  }
  const reason = document.querySelector("#reason");
  reason.textContent = job.exc_info ?? "";
  reason.hidden = !job.exc_info;
  showProgress(job);
  const known = FACTS.map(([words, fact]) => [words, fact(job)]).filter(([, fact]) => fact != null);
  const facts = known.flatMap(([words, fact]) => [
    element("dt", {}, words),
    element("dd", {}, fact instanceof Node ? fact : `${fact}`),
  ]);
  document.querySelector("#facts").replaceChildren(...facts);
  showOutputs(job.record?.outputs ?? []);
}

function showProgress(job) {
  bar.hidden = job.progress == null;
  if (bar.hidden) return;
  bar.querySelector("progress").value = job.progress;
  bar.querySelector("output").textContent = `${job.stage} ${percent(job.progress)}`;
}

function showOutputs(outputs) {
  const table = document.querySelector("#outputs");
  table.hidden = !outputs.length;
  const rows = outputs.map(({ name, state, size, error }) =>
    element("tr", {}, ...[name, state, size, error].map((text) => element("td", {}, text))),
  );
  table.tBodies[0].replaceChildren(...rows);
}

const reload = follow(head.dataset.url, show);

const press = (name, question, then) =>
  onPress(document.querySelector(`#${name}`), { urlOf: () => urls[name], question, then });
press("requeue", null, reload);
press("cancel", "Cancel this job?", reload);
press("delete", "Delete this job?", () => location.assign(head.dataset.back));
