// Client of cropsvc for Node 20+ and browsers. It needs fetch and Web Crypto, and nothing else.

const WAIT_SECONDS = 20;
const PATIENCE_SECONDS = 60;
const CHUNK_BYTES = 64 * 1024;
const TOLERANCE_SECONDS = 300;
const TERMINAL = ["done", "failed", "canceled"];

/** A refusal of the service, or no answer (status 0). `retryAfter`: seconds, if it may succeed later. */
export class CropError extends Error {
  constructor(detail, { status = 0, code = "", errors = [], retryAfter = null } = {}) {
    super(detail);
    this.name = "CropError";
    Object.assign(this, { status, code, errors, retryAfter });
  }
}

export class CropClient {
  #url;
  #key;
  #patience;

  /** `key` is an API key or a token. */
  constructor(url, { key = null, patience = PATIENCE_SECONDS } = {}) {
    this.#url = String(url).replace(/\/+$/, "");
    this.#key = key;
    this.#patience = patience;
  }

  /** Upload `image` (Blob, ArrayBuffer or typed array) and return the job at once. */
  async submit(image, parameters = {}, { onProgress, signal, idempotencyKey } = {}) {
    const blob = image == null || image instanceof Blob ? image : new Blob([image]);
    const headers = { "Idempotency-Key": idempotencyKey ?? crypto.randomUUID() };
    if (blob) headers["Content-Type"] = "application/octet-stream";
    const path = `/v1/crops${query(parameters)}`;
    const answer = await this.#ask(path, () => ({
      method: "POST", headers, signal, ...bodyOf(blob, onProgress, this.#url),
    }));
    const job = await answer.json();
    onProgress?.(1);
    const token = answer.headers.get("Job-Token");
    return token ? Object.defineProperty(job, "token", { value: token }) : job;
  }

  /** Return the job as it is now, or after at most `wait` seconds. */
  async job(job, { wait = 0, signal } = {}) {
    const path = `/v1/crops/${idOf(job)}${query(wait ? { wait } : {})}`;
    const found = await (await this.#ask(path, () => ({ signal }), job)).json();
    return keepToken(job, found);
  }

  /** Return the job once it is done. Throws CropError if it failed or was canceled. */
  async wait(job, { signal } = {}) {
    for (;;) {
      const now = await this.job(job, { wait: WAIT_SECONDS, signal });
      if (now.state === "done") return now;
      if (now.state === "canceled") throw new CropError("the job was canceled", { code: "canceled" });
      if (now.state === "failed") throw new CropError(now.error.detail, { status: 422, code: now.error.code });
    }
  }

  /** Yield `{kind, job}` for each change; the last one is the end. A broken stream is opened again. */
  async *events(job, { signal } = {}) {
    for (;;) {
      const answer = await this.#ask(`/v1/crops/${idOf(job)}/events`, () => ({ signal }), job);
      try {
        for await (const { event, data } of serverSentEvents(answer.body)) {
          if (event === "interrupted") break;
          const shown = keepToken(job, JSON.parse(data));
          yield { kind: event, job: shown };
          if (TERMINAL.includes(shown.state)) return;
        }
      } catch (error) {
        if (signal?.aborted || !(error instanceof TypeError)) throw error;
      }
      await pause(1, signal);
    }
  }

  /** Return an output's bytes as a Blob. */
  async image(job, output = null, { signal } = {}) {
    const name = output == null ? "" : `/${encodeURIComponent(output)}`;
    return (await this.#ask(`/v1/crops/${idOf(job)}/image${name}`, () => ({ signal }), job)).blob();
  }

  /** Cancel the job, or delete one that has ended. */
  async delete(job, { signal } = {}) {
    await this.#ask(`/v1/crops/${idOf(job)}`, () => ({ method: "DELETE", signal }), job);
  }

  /** Make a token for a browser (with an API key). */
  async token(wanted = {}, { signal } = {}) {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify(wanted);
    return (await this.#ask("/v1/tokens", () => ({ method: "POST", headers, body, signal }))).json();
  }

  /** Return the URL of `image`, `archive` or `events` for <img src> and EventSource. */
  urlOf(job, what = "image", token = job?.token) {
    return `${this.#url}/v1/crops/${idOf(job)}/${what}${query(token ? { token } : {})}`;
  }

  async #ask(path, options, job = null) {
    const deadline = Date.now() + this.#patience * 1000;
    for (let seconds = 1; ; seconds *= 1.5) {
      try {
        return await this.#once(path, options(), job);
      } catch (error) {
        if (!(error instanceof CropError) || error.retryAfter == null) throw error;
        const wait = Math.max(error.retryAfter, seconds) * (1 + 0.2 * Math.random());
        if (Date.now() + wait * 1000 > deadline) throw error;
        await pause(wait);
      }
    }
  }

  async #once(path, options, job) {
    const key = job?.token ?? this.#key;
    const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let answer;
    try {
      answer = await fetch(this.#url + path, { ...options, headers });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new CropError(`no answer from ${this.#url}: ${error.cause?.code ?? error.message}`, { retryAfter: 1 });
    }
    if (answer.ok) return answer;
    throw await refusal(answer);
  }
}

/** Return the verified message `{type, timestamp, data}`. `body` is the text as it came. */
export async function verifyWebhook(body, headers, secrets, { tolerance = TOLERANCE_SECONDS } = {}) {
  const header = (name) => (typeof headers.get === "function" ? headers.get(name) : headers[name]) ?? "";
  const stamp = header("webhook-timestamp");
  if (!/^[0-9]{1,15}$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > tolerance)
    throw new CropError("the webhook's time is too far away from now", { code: "wrong-signature" });
  const signed = new TextEncoder().encode(`${header("webhook-id")}.${stamp}.${body}`);
  const given = header("webhook-signature").split(" ").filter((one) => one.startsWith("v1,"));
  for (const secret of [secrets].flat()) {
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytesOf(secret.replace("whsec_", "")), hmac, false, ["verify"]);
    for (const one of given)
      if (await crypto.subtle.verify("HMAC", key, bytesOf(one.slice(3)), signed)) return JSON.parse(body);
  }
  throw new CropError("the webhook's signature is wrong", { code: "wrong-signature" });
}

function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}

function idOf(job) {
  return encodeURIComponent(typeof job === "string" ? job : job.id);
}

function keepToken(from, job) {
  return from?.token ? Object.defineProperty(job, "token", { value: from.token }) : job;
}

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value != null);
  const texts = given.map(([name, value]) => [name, textOf(value)]);
  return texts.length ? `?${new URLSearchParams(texts)}` : "";
}

function textOf(value) {
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Stream the upload where its progress can be seen: Node, and browsers by https. */
function bodyOf(blob, onProgress, url) {
  if (!blob) return {};
  onProgress?.(0);
  if (!onProgress || !canStream(url)) return { body: blob };
  let sent = 0;
  const body = new ReadableStream({
    async pull(controller) {
      const part = await blob.slice(sent, sent + CHUNK_BYTES).arrayBuffer();
      if (!part.byteLength) return controller.close();
      sent += part.byteLength;
      controller.enqueue(new Uint8Array(part));
      if (sent < blob.size) onProgress(sent / blob.size);
    },
  });
  return { body, duplex: "half" };
}

function canStream(url) {
  if (typeof process === "object" && process.versions?.node) return true;
  let asked = false;
  const get = () => ((asked = true), "half");
  const options = { method: "POST", body: new ReadableStream(), get duplex() { return get(); } };
  const typed = new Request("https://localhost", options).headers.has("Content-Type");
  return asked && !typed && url.startsWith("https:");
}

async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  const after = Number.parseInt(answer.headers.get("Retry-After") ?? "1", 10);
  const again = answer.status === 429 || answer.status === 503;
  return new CropError(problem.detail ?? `the server answered ${answer.status}`, {
    status: answer.status,
    code: problem.code ?? "",
    errors: problem.errors ?? [],
    retryAfter: again ? after : null,
  });
}

async function* serverSentEvents(stream) {
  const reader = stream.getReader(), decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const lines = text.slice(0, end).split("\n").map((line) => line.split(/: (.*)/s));
        const fields = Object.fromEntries(lines);
        if (fields.data) yield { event: fields.event ?? "message", data: fields.data };
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
