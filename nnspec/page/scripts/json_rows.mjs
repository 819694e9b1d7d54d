// JSON files: an array for each input by its name, or rows, an object each, as `nnspec.runtime.tables.json_files` reads them.

import { isMissing, labelKey, markerKey, markersOf } from "./csv.mjs";
import { samplesOfTable } from "./table.mjs";
import { InputError, fromLists } from "./tensors.mjs";

/** What a column holds; null where it is not there. `a.b` is the key `b` within the object under `a`. */
function valueOf(record, name) {
  if (Object.hasOwn(record, name)) return record[name];
  const parts = name.split(".");
  for (let i = 1; i < parts.length; i++) {
    const inner = record[parts.slice(0, i).join(".")];
    if (inner !== null && typeof inner === "object" && !Array.isArray(inner)) return valueOf(inner, parts.slice(i).join("."));
  }
  return null;
}

function* namesOf(record) {
  for (const [key, value] of Object.entries(record)) {
    const isInner = value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length;
    if (isInner) for (const name of namesOf(value)) yield `${key}.${name}`;
    else yield key;
  }
}

const isRecord = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isAbsent = (value) => value === null || value === undefined || (typeof value === "string" && isMissing(value));
const wordOf = (value) => (isAbsent(value) ? "" : labelKey(value));

/** Samples of a text that is JSON or JSON lines; `only` names the single input, null where there are more. */
export function samplesOfJson(text, ports, metadata, only, what, decode, ofArrays) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    try {
      body = text.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
    } catch (error) {
      throw new InputError(`${what} is not JSON: ${error.message}`);
    }
    if (!body.every(isRecord)) throw new InputError(`${what}: a line is not an object`);
  }
  if (Array.isArray(body) && isRecord(body[0])) return samplesOfRecords(body, ports, metadata, what, decode, ofArrays);
  if (isRecord(body) && isRow(body, ports)) return samplesOfRecords([body], ports, metadata, what, decode, ofArrays);
  const named = Array.isArray(body) && only !== null ? { [only]: body } : body;
  if (!isRecord(named)) throw new InputError(`${what} must contain a mapping of inputs or a list`);
  const arrays = {};
  for (const name of Object.keys(ports)) {
    if (!Object.hasOwn(named, name)) throw new InputError(`${what} has no \`${name}\`; it has: ${Object.keys(named).slice(0, 20).join(", ")}`);
    arrays[name] = fromLists(named[name], `${what}, input \`${name}\``);
  }
  return ofArrays(arrays);
}

function isRow(record, ports) {
  if (Object.keys(ports).some((name) => Array.isArray(record[name]))) return false;
  return Object.values(ports).some((port) => (port.columns?.length ? port.columns : [port.array]).some((name) => name && valueOf(record, name) !== null));
}

function samplesOfRecords(records, ports, metadata, what, decode, ofArrays) {
  const arrays = {};
  const rest = {};
  for (const [name, port] of Object.entries(ports)) {
    if (port.array) {
      const lists = records.map((record) => valueOf(record, port.array));
      const row = lists.findIndex((list) => list === null);
      if (row >= 0) throw new InputError(`${what} has no \`${port.array}\` in row ${row + 1}`);
      arrays[name] = fromLists(lists, `${what}, \`${port.array}\``);
    } else rest[name] = port;
  }
  const whole = Object.keys(arrays).length ? ofArrays(arrays) : null;
  if (!Object.keys(rest).length) return whole;
  if (whole && metadata.window) throw new InputError(`${what}: windows of arrays are not read from JSON: use an .npz file`);
  const options = Object.values(rest).find((port) => port.options)?.options || {};
  const valuesOf = (name) => {
    const markers = markersOf(options, name);
    return records.map((record, row) => {
      const value = valueOf(record, name);
      if (value !== null && typeof value === "object") throw new InputError(`${what}: \`${name}\` of row ${row + 1} is a list or an object`);
      return value !== null && typeof value !== "boolean" && markers.has(markerKey(value)) ? null : value;
    });
  };
  const table = {
    what, count: records.length, header: [...new Set(records.flatMap((record) => [...namesOf(record)]))],
    cells: (name) => valuesOf(name).map(wordOf),
    column: (name, isText) => (isText ? valuesOf(name).map(wordOf) : numbers(valuesOf(name), name, what)),
    orderNumbers: (cells) => (cells.every((cell) => cell.trim() !== "" && !Number.isNaN(Number(cell))) ? cells.map(Number) : null),
  };
  const found = samplesOfTable(table, rest, metadata, decode);
  if (!whole) return found;
  return { ...found, take: async (from, to) => ({ ...(await found.take(from, to)), ...(await whole.take(from, to)) }) };
}

function numbers(values, name, what) {
  let isBoolean = null;
  return values.map((value, row) => {
    if (isAbsent(value)) return NaN;
    isBoolean = isBoolean ?? typeof value === "boolean";
    if (typeof value === "string" || (typeof value === "boolean") !== isBoolean) {
      throw new InputError(`${what}: column \`${name}\` has no number in row ${row + 1}: \`${value}\``);
    }
    return Number(value);
  });
}
