// Follow a job to its end: one request at a time, a timer set after each answer.

import { call, missing, pause } from "./client.js";

export const TERMINAL = ["done", "failed", "canceled"];

const FIRST = 250;            // ms between polls while something moves
const BACK_OFF = 1.3;
const LONGEST = 2000;         // ms; from then on the server holds the answer, so `done` is not missed
const AWAY_LONGEST = 5000;
const LOOK_FOR_WORKER = 3000; // ms in the queue before the page asks why

/**
 * Poll until the job has ended and give it. `heard(job)` has each answer, `away(seconds)` each
 * failure, `stuck(yes)` whether a worker is missing. Throws a Problem that waiting cannot mend.
 */
export async function follow(job, { ready, heard, away, stuck, signal }) {
  let every = FIRST;
  let failures = 0;
  const queue = watchQueue(ready, stuck);
  while (!TERMINAL.includes(job.state)) {
    await pause(failures ? backOff(failures) : Math.min(every, FIRST * 2), signal);
    try {
      const next = await call(held(job.links.self, every), { signal });
      every = moved(job, next) ? FIRST : Math.min(every * BACK_OFF, LONGEST);
      job = next;
      failures = 0;
      heard(job);
      await queue(job);
    } catch (error) {
      if (!error.passing) throw error;
      failures += 1;
      away(failures);
    }
  }
  return job;
}

const moved = (a, b) => a.state !== b.state || a.progress !== b.progress || a.position !== b.position;

// While nothing moves the server may hold the answer for a second: it comes at once with the end.
const held = (url, every) => (every < 1000 ? url : `${url}?wait=${Math.floor(every / 1000)}`);

// With jitter, so that a thousand open pages do not come back in step.
const backOff = (failures) => Math.min(FIRST * 2 ** failures, AWAY_LONGEST) * (0.75 + Math.random() / 2);

function watchQueue(ready, stuck) {
  let since = performance.now();
  return async (job) => {
    if (job.state !== "queued") { stuck(false); return; }
    if (performance.now() - since < LOOK_FOR_WORKER) return;
    since = performance.now();
    stuck(/worker/.test(await missing(ready).catch(() => "")));
  };
}
