// The service's own upright preview, for images that this browser cannot show, or only at a cost.

import { Problem } from "./client.js";
import { follow } from "./follow.js";
import { t } from "./language.js";
import { randomKey, send } from "./send.js";

const SIDE = 2000; // pixels
const ASKED = { size: `${SIDE}x${SIDE}`, fit: "inside", enlarge: "false", format: "webp", effort: "fast", quality: 80 };

/**
 * Upload the source, if the service does not have it, and give the preview's URL. The source then
 * knows its job and its size in its own pixels. Throws a Problem, or an AbortError.
 */
export async function servicePreview(source, { api, ready, signal, told }) {
  const ended = new AbortController();
  signal.addEventListener("abort", () => ended.abort());
  let lost = null;
  const away = (problem) => told("away", problem);
  const stuck = (yes) => { if (yes) { lost = new Problem({ detail: t("preview.stuck") }, 503); ended.abort(); } };
  try {
    const sent = (loaded, total) => told("sent", loaded / total);
    const begun = await send(api, source, ASKED, { key: randomKey(), signal: ended.signal, sent, away });
    source.jobId = begun.id;
    const job = await follow(begun, { ready, signal: ended.signal, heard: () => told("made"), away, stuck });
    return await shown(source, job, ended.signal);
  } catch (error) {
    throw lost || error;
  }
}

async function shown(source, job, signal) {
  const [output] = job.outputs;
  if (!output?.url) throw new Problem(output?.error || job.error || {}, 422);
  const answer = await fetch(output.url, { signal });
  if (!answer.ok) throw new Problem({}, answer.status);
  source.size = { w: job.source.width, h: job.source.height };
  return URL.createObjectURL(await answer.blob()); // it outlives the job
}
