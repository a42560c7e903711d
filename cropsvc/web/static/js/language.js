// The page's texts in the user's language; the service puts them into the page.

const texts = JSON.parse(document.getElementById("texts")?.textContent || "{}");

/** The language's tag, for numbers. */
export const language = document.documentElement.lang || "en";

/** Whether there is a text for this key. */
export const has = (key) => key in texts;

/** The text for a key, its {placeholders} filled. */
export const t = (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
