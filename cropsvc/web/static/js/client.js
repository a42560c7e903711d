// The public API, as any client would use it.

import { t } from "./language.js";

/** A refusal with the service's explanation (problem+json), or a failure of the network. */
export class Problem extends Error {
  constructor({ code, detail, title, errors }, status, retryAfter) {
    super(detail || title || t("server.unreachable"));
    Object.assign(this, { code, status, errors: errors || [], retryAfter: Number(retryAfter) || 0 });
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return [0, 429, 502, 503, 504].includes(this.status);
  }
}

const problemOf = (text, status, retryAfter) => {
  let body = {};
  try { body = JSON.parse(text); } catch { body = { title: status ? t("server.answered", { status }) : "" }; }
  return new Problem(body, status, retryAfter);
};

/** Send a form; `sent(bytes, all)` hears of the upload. The answer is {job} or a Problem is thrown. */
export function submit(url, form, { key, signal, sent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded, event.total);
    request.onload = () => {
      if (request.status === 202) return resolve(JSON.parse(request.responseText));
      return reject(problemOf(request.responseText, request.status, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new Problem({}, 0));
    request.onabort = () => reject(new DOMException("Canceled", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** GET or DELETE some JSON. */
export async function call(url, { method = "GET", signal } = {}) {
  let response;
  try {
    response = await fetch(url, { method, signal, headers: { Accept: "application/json" }, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({}, 0);
  }
  const text = await response.text();
  if (!response.ok) throw problemOf(text, response.status, response.headers.get("Retry-After"));
  return text ? JSON.parse(text) : null;
}

/** What /readyz says is missing, as a text to search in; empty when all is well. */
export async function missing(url) {
  const response = await fetch(url, { cache: "no-store" });
  return response.status === 503 ? response.text() : "";
}

/** Wait so long, or until the signal or the browser's being online again. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => { clearTimeout(timer); window.removeEventListener("online", end); resolve(); };
    const timer = setTimeout(end, milliseconds);
    window.addEventListener("online", end);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      reject(new DOMException("Stopped", "AbortError"));
    });
  });
}
