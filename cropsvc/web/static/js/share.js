// The share sheet of phones, shown only where a browser has one that takes files.

const TYPES = { jpeg: "image/jpeg", png: "image/png", webp: "image/webp", avif: "image/avif", gif: "image/gif" };

/** Whether an image of this format can be shared. */
export function canShare(format) {
  const probe = new File([""], `image.${format}`, { type: TYPES[format] });
  return Boolean(navigator.share && navigator.canShare?.({ files: [probe] }));
}

/** Share the image at this URL under this name; that the user changes their mind is no error. */
export async function share(url, name, format) {
  const bytes = await (await fetch(url)).blob();
  const file = new File([bytes], name, { type: TYPES[format] });
  await navigator.share({ files: [file] }).catch((error) => { if (error.name !== "AbortError") throw error; });
}
