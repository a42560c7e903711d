// The settings of this browser's last crop: shape, size and format, never an image or its name.

const KEY = "cropsvc.settings";

/** The settings, or null. */
export function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    return found && typeof found === "object" ? found : null;
  } catch { return null; }
}

/** Keep them for the next image. */
export function keep(settings) {
  try { localStorage.setItem(KEY, JSON.stringify(settings)); } catch { /* private mode: nothing is kept */ }
}
