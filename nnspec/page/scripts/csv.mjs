// The rules of CSV files, as `nnspec.runtime.rules.csv` and `csv_dialect` have them.

import { InputError } from "./tensors.mjs";

const NULLS = new Set(["", "NA", "N/A", "#N/A", "NaN", "nan", "NAN", "-nan", "-NaN", "+nan", "+NaN", "null", "NULL", "<NA>"]);
const BOOLEANS = { true: 1, True: 1, TRUE: 1, false: 0, False: 0, FALSE: 0 };
const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

const stripBlanks = (cell) => cell.replace(/^[ \t]+|[ \t]+$/g, "");
export const isMissing = (cell) => NULLS.has(cell) || NULLS.has(stripBlanks(cell));

/** Header and rows of a text. */
export function parseCsv(text, options, what) {
  const rows = splitRows(text.replace(/^\ufeff/, ""), options.delimiter || ",", options.quote ?? '"', what);
  if (!rows.length) throw new InputError(`${what} is empty: its first line must list the column names`);
  const [header, ...lines] = rows;
  const twice = header.find((name, i) => header.indexOf(name) < i);
  if (twice !== undefined) throw new InputError(`${what}: column \`${twice}\` occurs twice in its first line`);
  lines.forEach((row, i) => {
    if (row.length !== header.length) {
      throw new InputError(`${what}: row ${i + 1} has ${row.length} cells, but the header has ${header.length}`);
    }
  });
  return { header, rows: lines };
}

function splitRows(text, delimiter, quote, what) {
  const mark = quote === "none" ? null : quote;
  const rows = [];
  let row = [];
  let i = 0;
  const end = text.length;
  const isLineEnd = (sign) => sign === "\n" || sign === "\r";
  while (i < end) {
    let cell = "";
    if (mark !== null && text[i] === mark) {
      for (i++; ; i++) {
        if (i >= end) throw new InputError(`${what}: a quoted cell of row ${rows.length} has no end`);
        if (text[i] !== mark) cell += text[i];
        else if (text[i + 1] === mark) cell += text[i++];
        else break;
      }
      i++;
      if (i < end && text[i] !== delimiter && !isLineEnd(text[i])) {
        throw new InputError(`${what}: row ${rows.length} has text behind a quoted cell`);
      }
    } else {
      const start = i;
      while (i < end && text[i] !== delimiter && !isLineEnd(text[i])) i++;
      cell = text.slice(start, i);
      if (!row.length && cell === "" && (i >= end || isLineEnd(text[i]))) {
        i += text[i] === "\r" && text[i + 1] === "\n" ? 2 : 1;
        continue; // an empty line is no row
      }
    }
    row.push(cell);
    if (i < end && text[i] === delimiter) {
      i++;
      if (i >= end || isLineEnd(text[i])) row.push("");
      else continue;
    }
    i += text[i] === "\r" && text[i + 1] === "\n" ? 2 : 1;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** A label in one spelling: `3`, `3.0` and `"3"` are one. */
export function labelKey(value) {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const text = String(value);
  if (["True", "False", "TRUE", "FALSE"].includes(text)) return text.toLowerCase();
  return /^-*[0-9]+\.0$/.test(text) ? text.slice(0, -2) : text;
}

const NUMBER = /^[+-]?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** A value in the spelling in which markers of missing values are compared. */
export function markerKey(value) {
  const text = labelKey(value).trim();
  const number = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(number) ? String(number) : text;
}

/** What stands for a missing value in a column. */
export function markersOf(options, column) {
  const given = options.na_values;
  if (given === undefined || given === null) return new Set();
  const isByColumn = typeof given === "object" && !Array.isArray(given);
  const own = isByColumn ? given[column] ?? given["*"] ?? [] : given;
  return new Set((Array.isArray(own) ? own : [own]).map(markerKey));
}

/** Cells of numbers as Python writes them; what is none stays none. */
export function plainCell(cell, options) {
  const decimal = options.decimal || ".";
  const thousands = options.thousands || "";
  if (decimal === "." && !thousands) return cell;
  const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const whole = thousands ? `(?:[0-9]{1,3}(?:${quoted(thousands)}[0-9]{3})+|[0-9]+)` : "[0-9]+";
  const mark = quoted(decimal);
  const form = new RegExp(`^[+-]?(?:${whole}(?:${mark}[0-9]*)?|${mark}[0-9]+)(?:[eE][+-]?[0-9]+)?$`);
  const text = stripBlanks(cell);
  if (form.test(text)) return (thousands ? text.replaceAll(thousands, "") : text).replace(decimal, ".");
  return cell.includes(".") && decimal !== "." ? `\0${cell}` : cell;
}

/** The cells of a column without its markers of missing values. */
export function withoutMarkers(cells, options, column) {
  const markers = markersOf(options, column);
  const isWord = (key) => markers.has(key) && !NUMBER.test(key); // which stands as it is: `n.a.`
  const isMarker = (cell) => markers.has(markerKey(plainCell(cell, options))) || isWord(markerKey(cell));
  return markers.size ? cells.map((cell) => (isMarker(cell) ? "" : cell)) : cells;
}

/** Cells as numbers, NaN where one is missing: truth values as 1 and 0 in a column that has no numbers. */
export function numbersOf(cells, options, column, what) {
  let isBoolean = null;
  return cells.map((cell, row) => {
    const text = stripBlanks(plainCell(cell, options));
    if (NULLS.has(text)) return NaN;
    const isTruth = Object.hasOwn(BOOLEANS, text);
    const isNumber = DECIMAL.test(text);
    isBoolean = isBoolean ?? isTruth;
    if (isTruth !== isBoolean || !(isTruth || isNumber || INFINITE.test(text))) {
      throw new InputError(`${what}: column \`${column}\` has no number in row ${row + 1}: \`${cell}\``);
    }
    if (isTruth) return BOOLEANS[text];
    return isNumber ? Number(text) : text.startsWith("-") ? -Infinity : Infinity;
  });
}

/** Cells as they stand; an empty text where one is missing. */
export const wordsOf = (cells) => cells.map((cell) => (isMissing(cell) ? "" : cell));
