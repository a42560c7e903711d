// What an image has that some output formats cannot hold, by the first bytes of its file.

import { t } from "./language.js";

const LOOKED_AT = 64 * 1024;

/** Whether the file is animated, and whether it can be transparent. */
export async function traits({ file, format }) {
  if (!file) return { animated: false, alpha: false };
  const bytes = new Uint8Array(await file.slice(0, LOOKED_AT).arrayBuffer());
  const text = new TextDecoder("latin1").decode(bytes);
  return (LOOK[format] || (() => ({ animated: false, alpha: false })))(bytes, text);
}

const LOOK = {
  gif: (bytes, text) => ({ animated: text.includes("NETSCAPE2.0"), alpha: /!\xf9\x04[\x01\x03\x05\x07\x09\x0b\x0d\x0f]/.test(text) }),
  png: (bytes, text) => ({ animated: text.includes("acTL"), alpha: [4, 6].includes(bytes[25]) || text.includes("tRNS") }),
  webp: (bytes, text) => {
    const flags = text.slice(12, 16) === "VP8X" ? bytes[20] : 0;
    return { animated: Boolean(flags & 2), alpha: Boolean(flags & 16) || (text.slice(12, 16) === "VP8L" && Boolean(bytes[24] & 16)) };
  },
  avif: (bytes, text) => ({ animated: text.slice(8, 12) === "avis", alpha: text.includes("aux:hevc:auxid:1") || text.includes("auxiliary:alpha") }),
};

/** What will be lost, as a text; empty if nothing is. */
export function losses({ animated, alpha }, format) {
  if (format !== "jpeg") return "";
  const kept = animated ? t("loss.animation") : "";
  const filled = alpha ? t("loss.alpha") : "";
  return [kept, filled].filter(Boolean).join(" ");
}
