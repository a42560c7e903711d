// <crop-image>: choose an image, draw the crop box, upload, and get the crop, on any web page.
// docs/howto/embed.md says how to use it.

import { sheet } from "./look.js";
import { bitmapOf } from "./orient.js";
import { nameOf, parametersOf, ratioOf } from "./request.js";
import { Problem, Service } from "./service.js";
import { formatOf } from "./sniff.js";
import { Stage } from "./stage.js";
import { texts } from "./texts.js";
import { build, paint } from "./view.js";

const HOME = new URL("../../", import.meta.url).href; // the service that this module came from
const UPLOAD = 0.5; // the upload's part of the progress
const TELL = 400;   // ms that the box must rest before it is announced

export { texts };

export class CropImage extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = ["aspect", "size", "required"];

  #internals = this.attachInternals();
  #parts = build(texts);
  #stage = new Stage(this.#parts.stage, (box, byHand) => this.#moved(box, byHand));
  #abort = null;   // stops the crop that runs
  #chosen = 0;     // counts the files that were chosen: an older one that loads late is dropped
  #preset = {};    // the preset's parameters
  #telling = 0;    // the timer of an announcement

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#parts.root);
    this.#internals.role = "group"; // a <label> or aria-label names it
    this.#listen();
    this.#forget();
  }

  get form() { return this.#internals.form; }
  get validity() { return this.#internals.validity; }
  get validationMessage() { return this.#internals.validationMessage; }
  get willValidate() { return this.#internals.willValidate; }
  checkValidity() { return this.#internals.checkValidity(); }
  reportValidity() { return this.#internals.reportValidity(); }
  get name() { return this.getAttribute("name"); }
  get type() { return this.localName; }

  /** What the form sends: the job's id, or with `submit-as="file"` the cropped file; null before. */
  get value() {
    if (!this.job) return null;
    return this.getAttribute("submit-as") === "file" ? this.blob : this.job.id;
  }

  /** The box in pixels of the image, `{x, y, w, h}`; null without an image. */
  get box() { return this.file ? { ...this.#stage.box } : null; }

  attributeChangedCallback(name) {
    if (name === "required") this.#validate();
    else this.#stage.setRatio(this.#ratio);
  }

  formDisabledCallback(isDisabled) { this.#parts.root.inert = isDisabled; }
  formResetCallback() { this.reset(); }
  disconnectedCallback() { if (this.#abort) this.#cancel(); }

  /** Go back to the start: no image, no value. */
  reset() {
    this.#abort?.abort();
    this.#chosen += 1;
    this.#forget();
    this.#show("drop");
  }

  /** Show the image of a File with the crop box. */
  async load(file) {
    this.#abort?.abort();
    this.#chosen += 1;
    const chosen = this.#chosen;
    this.#forget();
    try {
      const bitmap = await this.#bitmap(file);
      if (chosen !== this.#chosen) return bitmap.close();
      this.file = file;
      this.#show("edit");
      this.#stage.setRatio(this.#ratio);
      this.#stage.show(bitmap);
      bitmap.close();
      this.#validate();
      this.#parts.stage.focus();
    } catch (error) {
      if (chosen === this.#chosen) this.#fail(error, "drop");
    }
  }

  /** Crop the image. Resolves with what the event `crop` carries, or with null after a problem. */
  async crop() {
    if (!this.file || this.#abort) return null;
    const abort = this.#abort = new AbortController();
    this.#show("edit", "busy");
    try {
      const detail = await this.#cropped(abort.signal);
      this.#finish(detail);
      return detail;
    } catch (error) {
      if (!abort.signal.aborted) this.#fail(error, "edit");
      return null;
    } finally {
      if (this.#abort === abort) this.#abort = null;
    }
  }

  get #service() {
    return new Service(this.getAttribute("service") || HOME, this.getAttribute("key-url"));
  }

  get #ratio() { return ratioOf(this, this.#preset); }

  async #bitmap(file) {
    const [format, about] = await Promise.all([formatOf(file), this.#service.about(this.getAttribute("preset"))]);
    this.#preset = about.parameters;
    const most = about.limits?.max_upload ?? Infinity;
    if (file.size > most) throw new Problem(texts.large(file.name, most), { code: "too-large", status: 413 });
    const unread = new Problem(texts.unread(file.name), { code: "unsupported-format", status: 415 });
    const isRead = about.inputs?.includes(format === "heic" ? "heif" : format) ?? true;
    if (!format || !isRead) throw unread;
    return bitmapOf(file, format).catch(() => { throw unread; });
  }

  async #cropped(signal) {
    const service = this.#service;
    this.#progress("uploading", 0, null);
    const sent = (fraction) => this.#progress("uploading", fraction * UPLOAD, null);
    const { job, reader } = await service.submit(this.file, parametersOf(this, this.#stage.box), { signal, sent });
    const heard = (now) => this.#progress(now.stage, UPLOAD + now.progress * (1 - UPLOAD), now);
    heard(job);
    const done = await service.follow(job, reader, { signal, heard });
    const blob = await service.image(done, reader, signal);
    const name = nameOf(this.file, done.outputs[0].format);
    return { job: done, url: service.imageUrl(done, reader), blob: new File([blob], name, { type: blob.type }) };
  }

  #progress(stage, progress, job) {
    const { bar, status } = this.#parts;
    bar.value = progress;
    const state = job ? job.state : "uploading";
    if (texts[state] && status.textContent !== texts[state]) this.#say(status.textContent = texts[state]);
    this.#dispatch("progress", { stage, progress, job });
  }

  async #finish(detail) {
    Object.assign(this, { job: detail.job, blob: detail.blob, url: detail.url });
    this.#internals.setFormValue(this.value);
    this.#validate();
    this.#show("done");
    this.#parts.again.focus();
    this.#say(texts.done);
    this.#dispatch("crop", detail);
    this.dispatchEvent(new Event("change", { bubbles: true }));
    const bitmap = await createImageBitmap(detail.blob).catch(() => null);
    if (bitmap && this.blob === detail.blob) paint(this.#parts.result, bitmap);
  }

  #fail(error, view) {
    const known = error instanceof Problem ? error : new Problem(error.message, { code: "internal" });
    if (known !== error) console.error(error);
    this.#show(view);
    const { code, status, errors, message: detail } = known;
    const isShown = this.#dispatch("problem", { code, status, detail, errors });
    Object.assign(this.#parts.problem, { textContent: isShown ? detail : "", hidden: !isShown });
    this.#parts[view === "drop" ? "choose" : "crop"].focus();
  }

  #dispatch(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: name === "problem" }));
  }

  #forget() {
    Object.assign(this, { file: null, job: null, blob: null, url: null });
    this.#internals.setFormValue(null);
    this.#validate();
  }

  #validate() {
    const isMissing = this.hasAttribute("required") && !this.file && !this.job;
    const isUncropped = Boolean(this.file) && !this.job;
    const text = isMissing ? texts.missing : texts.uncropped;
    if (!isMissing && !isUncropped) return this.#internals.setValidity({});
    this.#internals.setValidity({ valueMissing: true }, text, isMissing ? this.#parts.choose : this.#parts.crop);
  }

  // One of: drop, edit (with its tools or while busy), done.
  #show(view, row = "tools") {
    for (const name of ["drop", "edit", "done"]) this.#parts[name].hidden = name !== view;
    for (const name of ["tools", "busy"]) this.#parts[name].hidden = name !== row;
    this.#parts.problem.hidden = true;
    this.#stage.frozen = row === "busy";
    if (row === "busy") this.#parts.cancel.focus();
  }

  #cancel() {
    this.#abort?.abort();
    this.#show("edit");
    this.#parts.crop.focus();
  }

  // Back to the box of the image that was cropped.
  #change() {
    Object.assign(this, { job: null, blob: null, url: null });
    this.#internals.setFormValue(null);
    this.#validate();
    this.#show("edit");
    this.#parts.stage.focus();
  }

  // Said late, so that a held key does not flood the live region.
  #moved(box, byHand) {
    clearTimeout(this.#telling);
    if (byHand) this.#telling = setTimeout(() => this.#say(texts.at(box)), TELL);
  }

  #say(text) { this.#parts.live.textContent = text; }

  #listen() {
    const { choose, change, file, crop, cancel, again, drop, root } = this.#parts;
    const zoom = (factor) => () => this.#stage.zoomBy(factor);
    const actions = [
      [choose, () => file.click()], [change, () => file.click()], [crop, () => this.crop()],
      [cancel, () => this.#cancel()], [again, () => this.#change()],
      [this.#parts.in, zoom(1.25)], [this.#parts.out, zoom(0.8)],
    ];
    for (const [button, act] of actions) button.addEventListener("click", act);
    file.addEventListener("change", () => {
      const [one] = file.files;
      file.value = ""; // so that the same file can be chosen again
      if (one) this.load(one);
    });
    const over = (event, on) => { event.preventDefault(); drop.classList.toggle("over", on); };
    root.addEventListener("dragover", (event) => over(event, true));
    root.addEventListener("dragleave", (event) => over(event, false));
    root.addEventListener("drop", (event) => {
      over(event, false);
      if (event.dataTransfer.files[0]) this.load(event.dataTransfer.files[0]);
    });
  }
}

if (!customElements.get("crop-image")) customElements.define("crop-image", CropImage);
