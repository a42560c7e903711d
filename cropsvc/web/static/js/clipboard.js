// An image to the clipboard. Browsers take PNG there, so any other format is decoded first.

export const canCopyImages = () => Boolean(window.isSecureContext && navigator.clipboard?.write && window.ClipboardItem);

/** Copy the image at this URL. */
export async function copyImage(url) {
  await navigator.clipboard.write([new ClipboardItem({ "image/png": png(url) })]);
}

async function png(url) {
  const blob = await (await fetch(url)).blob();
  if (blob.type === "image/png") return blob;
  const bitmap = await createImageBitmap(blob);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
}
