import { element, follow, link } from "./page.js";

const STATES = ["started", "finished", "failed", "canceled", "deferred", "scheduled"];
const table = document.querySelector("#queues");

function row(queue) {
  const counts = STATES.map((state) =>
    element("td", {}, link(queue[`${state}_url`], `${queue[`${state}_job_registry_count`]}`)),
  );
  const waiting = element("td", {}, link(queue.queued_url, `${queue.count}`));
  return element("tr", {}, element("td", {}, queue.name), waiting, ...counts);
}

follow(table.dataset.url, ({ queues }) => {
  const none = element("tr", {}, element("td", { colspan: 8 }, "No queue has had a job yet."));
  table.tBodies[0].replaceChildren(...(queues.length ? queues.map(row) : [none]));
});
