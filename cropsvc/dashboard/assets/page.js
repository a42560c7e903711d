// What every page of the dashboard needs. Values reach the page as text only, never as markup.

const SECONDS = 2;

/** An element with attributes and children; strings become text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((child) => child ?? ""));
  return made;
}

export function link(href, words) {
  return element("a", { href }, words);
}

/** A time of the server's in the reader's own. */
export function when(iso) {
  if (!iso) return "-";
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "-";
  return element("time", { datetime: iso, title: iso }, at.toLocaleString());
}

export function percent(fraction) {
  return `${Math.round(100 * fraction)} %`;
}

export function notice(words) {
  const line = document.querySelector("#notice");
  line.textContent = words;
  line.hidden = !words;
}

async function ask(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) throw new Error((await answer.text()) || `${answer.status}`);
  return answer.json();
}

/** Polls *url*; calls *show* when the answer has changed. */
export function follow(url, show) {
  let shown = "";
  let silent = false;
  const look = async () => {
    try {
      const told = await ask(url);
      if (silent) notice(""); // the answer to an action stays
      silent = false;
      const text = JSON.stringify(told);
      if (text !== shown) show(told);
      shown = text;
    } catch (error) {
      silent = true;
      notice(error.message);
    }
  };
  const turn = async () => {
    if (!document.hidden && document.querySelector("#refresh").checked) await look();
    setTimeout(turn, SECONDS * 1000);
  };
  look().then(() => setTimeout(turn, SECONDS * 1000));
  return look;
}

function confirmed(words) {
  const dialog = document.querySelector("#question");
  dialog.querySelector("p").textContent = words;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Has *button* post to the URL that *urlOf* gives, after a question if there is one. */
export function onPress(button, { urlOf, question, then }) {
  button.addEventListener("click", async () => {
    if (question && !(await confirmed(question))) return;
    button.disabled = true;
    notice("");
    try {
      const told = await ask(urlOf(), { method: "POST" });
      await then(told);
    } catch (error) {
      notice(error.message);
    } finally {
      button.disabled = false;
    }
  });
}
