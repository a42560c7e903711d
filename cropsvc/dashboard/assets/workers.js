import { element, follow, link, percent, when } from "./page.js";

const table = document.querySelector("#workers");

function job(current) {
  if (current === "idle") return "idle";
  const progress = current.progress === null ? "" : ` ${percent(current.progress)}`;
  const at = current.urls.view;
  return element("span", {}, link(at, current.job_id), ` ${current.stage ?? ""}${progress}`);
}

function row(worker) {
  const about = `RQ ${worker.version} / Python ${worker.python_version}`;
  return element(
    "tr",
    {},
    element("td", { title: about }, worker.name),
    element("td", {}, worker.state),
    element("td", {}, job(worker.current_job)),
    element("td", {}, worker.queues.join(", ")),
    element("td", {}, `${worker.successful_job_count}`),
    element("td", {}, `${worker.failed_job_count}`),
    element("td", {}, when(worker.last_heartbeat)),
  );
}

follow(table.dataset.url, ({ workers }) => {
  const none = element("tr", {}, element("td", { colspan: 7 }, "No worker is running."));
  table.tBodies[0].replaceChildren(...(workers.length ? workers.map(row) : [none]));
});
