// The calls that the component makes: a token from the application, the rest from the service.

const FIRST_WAIT = 0.3; // seconds that the service holds an answer, unless the job ends; grows
const LONGEST_WAIT = 3; // while nothing moves
const TRIES = 6;        // while the service is busy or away: about half a minute
const PATIENCE = 30;    // seconds; a longer Retry-After is a problem at once
const FIRST_PAUSE = 1;  // seconds, doubled each time
const PASSING = [0, 429, 502, 503, 504];

/** A refusal, with the service's explanation; status 0 if no answer came. */
export class Problem extends Error {
  constructor(detail, { status = 0, code = "", errors = [], retryAfter = 0 } = {}) {
    super(detail);
    Object.assign(this, { status, code, errors, retryAfter });
  }
}

export class Service {
  /** `keyUrl`: where the application answers `{"token": "..."}`, or null for a service without keys. */
  constructor(url, keyUrl) {
    this.url = url.replace(/\/+$/, "");
    this.keyUrl = keyUrl;
  }

  /** An upload token, or null. */
  async token(signal) {
    if (!this.keyUrl) return null;
    const answer = await json(this.keyUrl, { signal, cache: "no-store", headers: { Accept: "application/json" } });
    if (typeof answer.token === "string") return answer.token;
    throw new Problem("The application sent no upload token.", { code: "no-token" });
  }

  /** What the service takes: `{inputs, limits}`, and the parameters of the preset if one is named. */
  async about(preset) {
    const [able, { presets }] = await Promise.all([
      json(`${this.url}/v1/capabilities`), preset ? json(`${this.url}/v1/presets`) : { presets: [] },
    ]);
    return { ...able, parameters: presets.find(({ name }) => name === preset)?.parameters || {} };
  }

  /** Upload the file and give the job, with the token that reads it; `sent(fraction)` is called on the way. */
  async submit(file, parameters, { signal, sent }) {
    const form = new FormData();
    for (const [name, value] of Object.entries(parameters)) form.append(name, value);
    form.append("image", file, file.name || "image");
    const token = await this.token(signal);
    const key = [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
    return again(() => post(`${this.url}/v1/crops`, form, { token, key, signal, sent }), signal);
  }

  /** The job once it has ended; `heard(job)` has each answer. Throws a Problem unless it is done. */
  async follow(job, token, { signal, heard }) {
    for (let now = job, wait = FIRST_WAIT; ;) {
      if (now.state === "done") return now;
      if (now.state === "failed") throw new Problem(now.error.detail, { status: 422, code: now.error.code });
      if (now.state === "canceled") throw new Problem("The crop was canceled.", { status: 410, code: "canceled" });
      const url = `${this.url}/v1/crops/${job.id}?wait=${wait.toFixed(2)}`;
      const next = await again(() => json(url, { signal, ...bearer(token) }), signal);
      wait = moved(now, next) ? FIRST_WAIT : Math.min(wait * 1.3, LONGEST_WAIT);
      now = next;
      heard(now);
    }
  }

  /** The URL of a job's image, which an <img> can show. */
  imageUrl(job, token) {
    return `${this.url}/v1/crops/${job.id}/image${token ? `?token=${encodeURIComponent(token)}` : ""}`;
  }

  async image(job, token, signal) {
    const url = `${this.url}/v1/crops/${job.id}/image`;
    return again(async () => (await answerOf(url, { signal, ...bearer(token) })).blob(), signal);
  }
}

const moved = (a, b) => ["state", "progress", "position"].some((name) => a[name] !== b[name]);

const bearer = (token) => (token ? { headers: { Authorization: `Bearer ${token}` } } : {});

const json = async (url, options) => (await answerOf(url, options)).json().catch(() => ({}));

async function answerOf(url, options) {
  const answer = await fetch(url, options).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw away(url);
  });
  if (answer.ok) return answer;
  throw refusal(await answer.text(), answer.status, answer.headers.get("Retry-After"));
}

// XMLHttpRequest, because fetch does not report the upload's progress.
function post(url, form, { token, key, signal, sent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", key);
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => total && sent(loaded / total);
    request.onload = () => {
      const { status, responseText } = request;
      if (status !== 202) return reject(refusal(responseText, status, request.getResponseHeader("Retry-After")));
      return resolve({ job: JSON.parse(responseText), reader: request.getResponseHeader("Job-Token") });
    };
    request.onerror = () => reject(away(url));
    request.onabort = () => reject(aborted());
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

function away(url) {
  const { origin } = new URL(url, location.href);
  console.warn(`crop-image: no answer from ${origin}. Is it running? Does its CROPSVC_CORS_ORIGINS have ${location.origin}?`);
  return new Problem("The crop service cannot be reached.", { code: "unreachable" });
}

function refusal(text, status, retryAfter) {
  let body = {};
  try { body = JSON.parse(text); } catch { /* a proxy answered */ }
  const detail = body.detail || body.title || `The server answered ${status}.`;
  return new Problem(detail, { status, code: body.code, errors: body.errors, retryAfter: Number(retryAfter) || 0 });
}

// The same call until it is answered; the Idempotency-Key keeps a repeated upload one job.
async function again(call, signal) {
  for (let tried = 1; ; tried += 1) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!PASSING.includes(error.status) || tried === TRIES || error.retryAfter > PATIENCE) throw error;
      const own = FIRST_PAUSE * 2 ** (tried - 1) * (0.75 + Math.random() / 2); // not all browsers in step
      await pause(Math.max(own, error.retryAfter), signal);
    }
  }
}

const aborted = () => new DOMException("Stopped", "AbortError");

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(aborted()); }, { once: true });
  });
}
