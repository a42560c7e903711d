import { element, follow, link, notice, onPress, percent, when } from "./page.js";

const table = document.querySelector("#jobs");
const filter = document.querySelector("#filter");
const ACTIONS = {
  requeue: { words: "Requeue", look: "primary" },
  cancel: { words: "Cancel", look: "secondary", question: "Cancel this job?" },
  delete: { words: "Delete", look: "danger", question: "Delete this job?" },
};

function actions(job) {
  return Object.keys(ACTIONS)
    .filter((name) => job.urls[name])
    .map((name) => {
      const { words, look, question } = ACTIONS[name];
      const button = element("button", { class: `btn btn-outline-${look} btn-sm ${name}` }, words);
      onPress(button, { urlOf: () => job.urls[name], question, then: reload });
      return element("span", {}, button, " ");
    });
}

function state(job) {
  const words = job.state ?? job.status;
  const running = words === "running" ? `, ${job.stage} ${percent(job.progress)}` : "";
  return element("td", {}, `${words}${running}`);
}

function row(job) {
  const name = job.urls.view ? link(job.urls.view, job.id) : element("span", {}, job.id);
  const told = [element("div", { class: "description" }, job.description)];
  told.push(element("div", { class: "job_id" }, name));
  if (job.exc_info) told.push(element("pre", { class: "exc_info" }, job.exc_info));
  return element(
    "tr",
    { "data-job-id": job.id },
    element("td", {}, ...told),
    state(job),
    element("td", {}, when(job.created_at)),
    element("td", { class: "actions" }, ...actions(job)),
  );
}

function pages({ current_page: current, pages_in_window: near, num_pages: last, ...ends }) {
  const page = (words, url, kind = "") =>
    element("li", { class: `page-item ${kind}` }, element("a", { class: "page-link", href: url }, words));
  if (last < 2) return [];
  const numbers = near.map(({ number, url }) =>
    page(`${number}`, url, number === current ? "active" : ""),
  );
  return [page("«", ends.first_page.url), ...numbers, page("»", ends.last_page.url)];
}

const reload = follow(table.dataset.url, ({ jobs, pagination }) => {
  const none = element("tr", {}, element("td", { colspan: 4 }, "No jobs."));
  table.tBodies[0].replaceChildren(...(jobs.length ? jobs.map(row) : [none]));
  document.querySelector("#pages").replaceChildren(...pages(pagination));
});

filter.addEventListener("change", () => {
  const chosen = ["queue", "registry", "per-page", "order"];
  const parts = chosen.map((part) => encodeURIComponent(filter.querySelector(`#select-${part}`).value));
  location.assign(`${filter.dataset.url}/${parts.join("/")}/1`);
});

async function tell({ count, refused = {} }) {
  await reload();
  const left = Object.entries(refused).map(([id, reason]) => `${id}: ${reason}`);
  if (left.length) notice(`${count} done, ${left.length} not: ${left.slice(0, 5).join("; ")}`);
}

for (const button of document.querySelectorAll(".buttons button")) {
  const question = `${button.textContent}: are you sure?`;
  onPress(button, { urlOf: () => button.dataset.url, question, then: tell });
}
