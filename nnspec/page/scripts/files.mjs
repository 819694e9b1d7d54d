// Files of many samples: tables, arrays, pictures, clips and texts, as `nnspec.runtime.reading` reads them.

import { readNpy, unpacked, zipMembers } from "./arrays.mjs";
import { parseCsv, withoutMarkers } from "./csv.mjs";
import { decodeFor, decoded } from "./form.mjs";
import { samplesOfJson } from "./json_rows.mjs";
import { decodeClip, framesOf } from "./sound.mjs";
import { csvTable, samplesOfTable } from "./table.mjs";
import { InputError, batchAxis, range, stack, take } from "./tensors.mjs";

const TABLES = ["csv", "tsv", "json", "jsonl", "ndjson", "npy", "npz"];
const ELSEWHERE = ["parquet", "arrow", "feather", "ipc", "sqlite", "sqlite3", "db"]; // which a page has no reader for
const isTable = (name) => TABLES.includes(suffixOf(name));

function suffixOf(name) {
  const parts = name.toLowerCase().split(".");
  if (parts.at(-1) === "gz") parts.pop();
  return parts.at(-1);
}

/** The samples of the files that were chosen. */
export async function samplesOfFiles(files, page) {
  const ports = Object.fromEntries(Object.entries(page.inputs).filter(([name]) => !(name in page.states)));
  const elsewhere = files.find((file) => ELSEWHERE.includes(suffixOf(file.name)));
  if (elsewhere) throw new InputError(`\`${elsewhere.name}\` cannot be read by a page: \`nnspec predict\` reads it, or save it as CSV`);
  const table = files.find((file) => isTable(file.name));
  if (table) return samplesOfOne(table, files.filter((file) => file !== table), ports, page);
  const names = Object.keys(ports);
  if (!names.some((name) => ports[name].files)) {
    if (files.length === 1 && suffixOf(files[0].name) === "wav" && names.length === 1) return recording(files[0], names[0], ports[names[0]], page);
    throw new InputError(`\`${files[0].name}\` has no supported extension; supported: ${TABLES.join(", ")}, wav`);
  }
  if (names.length > 1) {
    throw new InputError(`\`${files[0].name}\` is not enough: choose a table with its columns, and the files that it names`);
  }
  return ofFiles([...files].sort((a, b) => (a.name < b.name ? -1 : 1)), names[0], ports[names[0]]);
}

function ofFiles(files, name, port) {
  return {
    count: files.length, keys: { file: files.map((file) => file.name) }, notes: [],
    take: async (from, to) => ({ [name]: await stacked(files.slice(from, to), port) }),
  };
}

async function stacked(files, port) {
  const arrays = [];
  for (const file of files) arrays.push(await decodeFor(file, port, `\`${file.name}\``));
  return stack(arrays, batchAxis(port) ?? 0, port.files.fill ?? 0);
}

async function recording(file, name, port, page) {
  const array = framesOf(await decodeClip(file, `\`${file.name}\``), name, port, `\`${file.name}\``);
  return ofArrays({ [name]: array }, page);
}

/** Samples of arrays that hold all of them. */
export function ofArrays(arrays, page) {
  const places = Object.fromEntries(Object.keys(arrays).map((name) => [name, batchAxis(page.inputs[name])]));
  const counts = new Set(Object.entries(arrays).map(([name, array]) => array.dims[places[name] ?? 0]));
  if (counts.size !== 1) throw new InputError(`the arrays have different numbers of samples: ${[...counts].join(", ")}`);
  const [count] = counts;
  return {
    count, keys: {}, notes: [],
    take: async (from, to) => Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, places[name] === null ? array : take(array, places[name], range(to - from).map((i) => from + i))])),
  };
}

async function samplesOfOne(file, others, ports, page) {
  const what = `\`${file.name}\``;
  let bytes = new Uint8Array(await file.arrayBuffer());
  if (file.name.toLowerCase().endsWith(".gz")) bytes = await unpacked(bytes, "gzip");
  const names = Object.keys(ports);
  const kind = suffixOf(file.name);
  if (kind === "npy" || kind === "npz") {
    if (kind === "npy" && names.length > 1) throw new InputError(`${what} has one array, but the model takes ${names.join(", ")}`);
    return ofArrays(kind === "npy" ? { [names[0]]: readNpy(bytes, what) } : await archive(bytes, ports, what), page);
  }
  const decode = (cells, name, port) => stacked(cells.map((cell) => found(cell, others)), port);
  if (kind === "csv" || kind === "tsv") {
    const { options } = page;
    const parsed = parseCsv(decoded(bytes, options.encoding || "utf-8", what), options, what);
    return samplesOfTable(csvTable(parsed, options, what, { withoutMarkers }), ports, page, decode);
  }
  const only = names.length === 1 ? names[0] : null;
  return samplesOfJson(decoded(bytes, "utf-8", what), ports, page, only, what, decode, (arrays) => ofArrays(arrays, page));
}

async function archive(bytes, ports, what) {
  const members = zipMembers(bytes, what);
  const arrays = {};
  for (const [name, port] of Object.entries(ports)) {
    const member = [name, port.array].find((each) => each && members.has(`${each}.npy`));
    if (!member) throw new InputError(`${what} has no \`${name}\`; it has: ${[...members.keys()].join(", ")}`);
    arrays[name] = readNpy(await members.get(`${member}.npy`)(), `${what}, \`${member}\``);
  }
  return arrays;
}

/** The chosen file that a table names. */
function found(cell, files) {
  const parts = cell.replaceAll("\\", "/").split("/").filter((part) => part && part !== ".");
  const ends = (file) => (file.webkitRelativePath || file.name).endsWith(parts.join("/")) || file.name === parts.at(-1);
  const file = files.find(ends);
  if (!file) throw new InputError(`the table names \`${cell}\`: choose that file beside the table`);
  return file;
}
