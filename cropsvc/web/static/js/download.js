// Files to the user's disk, and what they are called.

/** Hand these bytes over under this name. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export const suffix = (format) => (format === "jpeg" ? "jpg" : format);

/** A file's name without its ending. */
export const stem = (name) => (name || "image").replace(/\.[^.]*$/, "") || "image";

/** A name by a pattern of {name}, {width}, {height}, {format} and {number}. */
export function named(pattern, name, output, number) {
  const words = { name: stem(name), width: output.width, height: output.height, format: output.format, number };
  return pattern.replace(/\{(\w+)\}/g, (all, word) => words[word] ?? all).slice(0, 120);
}
