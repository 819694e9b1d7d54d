// Raw cells of a column as an input of the model takes them: one spelling for words, seconds for dates.

import { isMissing, labelKey } from "./csv.mjs";
import { GAP, secondsOf } from "./dates.mjs";
import { InputError } from "./tensors.mjs";

const NO = ["0", "false", "f", "no", "n", "off"];
const YES = ["1", "true", "t", "yes", "y", "on"];

export const takesCells = (port) => ["category", "multi_hot", "date", "boolean"].includes(port.encoding);
export const isReadAsWords = (port) => port.type === "string" || port.encoding === "date" || Boolean(port.files);

/** The cells of a column, "" where one is missing, in the type of an input that encodes them itself. */
export function asTaken(port, cells, what) {
  const strange = (cell, kind) => new InputError(`${what}: column \`${port.columns[0]}\` has no ${kind}: \`${cell}\``);
  if (port.encoding === "date") {
    return cells.map((cell) => {
      if (isMissing(cell)) return GAP;
      const seconds = secondsOf(cell, port.format);
      if (seconds === null) throw strange(cell, "date");
      return seconds;
    });
  }
  const words = cells.map((cell) => (isMissing(cell) ? "" : labelKey(cell)));
  if (port.encoding === "boolean") {
    return words.map((word) => {
      const text = word.trim();
      if (!text) return text;
      if (port.truths) {
        if (!port.truths.map(String).includes(text)) throw strange(text, "yes or no");
        return text;
      }
      const lower = text.toLowerCase();
      if (!NO.includes(lower) && !YES.includes(lower)) throw strange(text, "yes or no");
      return NO.includes(lower) ? "0" : "1";
    });
  }
  return port.encoding === "multi_hot" ? words.map((word) => word && spellWords(word, port.separator)) : words;
}

/** A cell with several words in one spelling, each word once. */
export function spellWords(text, separator) {
  const words = text.split(separator).map((word) => word.trim()).filter(Boolean).map(labelKey);
  return [...new Set(words)].join(separator) || separator;
}

/** Where a value is missing that may not be. */
export function refuseGaps(port, values, what) {
  if ((port.gaps || []).length) return;
  const place = values.findIndex((value) => value === "" || value === GAP);
  if (place >= 0) throw new InputError(`${what}: column \`${port.columns[0]}\` has no value in row ${place + 1}`);
}
