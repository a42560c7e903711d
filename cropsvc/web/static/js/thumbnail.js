// Small copies of the chosen images; two are decoded at a time, so that the page stays quick.

const SIDE = 168; // twice the width that is shown
const LANES = 2;
const waiting = [];
let busy = 0;

/** The URL of a small copy, or null where the browser cannot decode the image. */
export function thumbnail(source) {
  return new Promise((done) => {
    waiting.push({ source, done });
    work();
  });
}

async function work() {
  if (busy >= LANES || !waiting.length) return;
  busy += 1;
  const { source, done } = waiting.shift();
  done(await small(source).catch(() => null));
  busy -= 1;
  work();
}

async function small({ file }) {
  const bitmap = await createImageBitmap(file, { resizeWidth: SIDE, resizeQuality: "medium" });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, Math.min(bitmap.height, SIDE * 2)];
  canvas.getContext("2d").drawImage(bitmap, 0, (canvas.height - bitmap.height) / 2);
  bitmap.close();
  const blob = await new Promise((ready) => { canvas.toBlob(ready, "image/webp", 0.8); });
  return blob && URL.createObjectURL(blob);
}
