// One upload to its job: an outage is waited out, and the Idempotency-Key keeps it one job.

import { pause, submit } from "./client.js";
import { backOff } from "./follow.js";

export const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

function form(source, pairs) {
  const data = new FormData();
  for (const [name, value] of Object.entries(pairs)) data.append(name, value);
  if (source.jobId) data.append("source", source.jobId);
  else data.append("image", source.file, source.name);
  return data;
}

/** Submit *source*, or its earlier upload; `sent(bytes, all)` and `away(problem)` are called on the way. */
export async function send(api, source, pairs, { key, signal, sent, away }) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await submit(api, form(source, pairs), { key, signal, sent });
    } catch (error) {
      if (error.status === 410 && source.jobId && source.file) {
        source.jobId = null;
      } else {
        if (!error.passing) throw error;
        away(error);
        await pause(backOff(failures, error), signal);
      }
    }
  }
}
