// Follow a job to its end: one request at a time, a timer set after each answer.

import { call, missing, pause } from "./client.js";

export const TERMINAL = ["done", "failed", "canceled"];

const PAUSE = 100;            // ms from an answer to the next request
const FIRST = 250;            // ms that the server holds an answer while something moves;
const BACK_OFF = 1.3;         // the end of the job comes at once, however long it would hold
const LONGEST = 3000;
const AWAY_LONGEST = 5000;
const LOOK_FOR_WORKER = 3000; // ms in the queue before the page asks why

/**
 * Poll until the job has ended and give it. `heard(job)` has each answer, `away(problem)` each
 * failure, `stuck(yes)` whether a worker is missing. Throws a Problem that waiting cannot repair.
 */
export async function follow(job, { ready, heard, away, stuck, signal }) {
  let every = FIRST;
  let failures = 0;
  let rest = PAUSE;
  const queue = watchQueue(ready, stuck);
  while (!TERMINAL.includes(job.state)) {
    await pause(rest, signal);
    try {
      const next = await call(`${job.links.self}?wait=${(every / 1000).toFixed(2)}`, { signal });
      every = moved(job, next) ? FIRST : Math.min(every * BACK_OFF, LONGEST);
      job = next;
      failures = 0;
      rest = PAUSE;
      heard(job);
      await queue(job);
    } catch (error) {
      if (!error.passing) throw error;
      failures += 1;
      rest = backOff(failures, error);
      away(error);
    }
  }
  return job;
}

const moved = (a, b) => a.state !== b.state || a.progress !== b.progress || a.position !== b.position;

/** Milliseconds to the next try; with jitter, so that a thousand pages do not come back in step. */
export function backOff(failures, error) {
  const own = Math.min(FIRST * 2 ** failures, AWAY_LONGEST) * (0.75 + Math.random() / 2);
  return Math.max(own, error.retryAfter * 1000);
}

function watchQueue(ready, stuck) {
  let since = performance.now();
  return async (job) => {
    if (job.state !== "queued") { stuck(false); return; }
    if (performance.now() - since < LOOK_FOR_WORKER) return;
    since = performance.now();
    stuck(/worker/.test(await missing(ready).catch(() => "")));
  };
}
