// What was dropped: files, and those in folders, however deep.

const MOST = 2000; // files; a whole disk dropped by mistake ends here

/** All dropped files, those whose names begin with a dot left out of folders. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()); // only now, not after a pause
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const files = [];
  for (const entry of entries) if (entry) await collect(entry, files);
  return files;
}

async function collect(entry, files) {
  if (files.length >= MOST) return;
  if (entry.isFile) {
    const file = await new Promise((found, failed) => { entry.file(found, failed); }).catch(() => null);
    if (file && !file.name.startsWith(".")) files.push(file);
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives at most 100 at a time
    const some = await new Promise((found) => { reader.readEntries(found, () => found([])); });
    if (!some.length) return;
    for (const one of some) await collect(one, files);
  }
}
