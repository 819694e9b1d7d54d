// A table as samples: rows, or every window of the rows of a series, as `nnspec.runtime.tables.matching` and `windows` cut them.

import { asTaken, isReadAsWords, refuseGaps, takesCells } from "./cells.mjs";
import { isMissing, numbersOf, wordsOf } from "./csv.mjs";
import { sortKeys } from "./dates.mjs";
import { BATCH, InputError, range, transpose } from "./tensors.mjs";

const FEATURES = ["feature", "channel", "column", "variable", "sensor"];

/** The columns of a table that an input takes; of files without one, the column that is called as the input. */
export function columnsOf(name, port) {
  return port.files ? [port.files.column || name] : port.columns || [];
}

/**
 * Samples of a table.
 *
 * table: {what, header, column(name, isText): values, cells(name): texts}
 * decode: (cells, name, port) -> array of the files that a table names
 */
export function samplesOfTable(table, ports, metadata, decode) {
  const keys = [];
  for (const [name, port] of Object.entries(ports)) {
    const names = columnsOf(name, port);
    if (!names.length) throw new InputError(`${table.what}: input \`${name}\` takes no columns: use an .npz file instead`);
    const missing = names.find((column) => !table.header.includes(column));
    if (missing !== undefined) {
      throw new InputError(`${table.what} has no column \`${missing}\`; it has: ${table.header.slice(0, 20).join(", ")}`);
    }
    for (const column of names) keys.push([column, isReadAsWords(port)]);
  }
  const order = orderRows(table, metadata);
  const needed = neededRows(order, ports, metadata);
  const columns = new Map();
  const lines = new Map();
  for (const [name, isText] of keys) {
    const key = `${isText}${name}`;
    if (columns.has(key)) continue;
    const values = order.rows.map(((all) => (row) => all[row])(table.column(name, isText)));
    const rule = (metadata.missing_of || {})[name] ?? metadata.missing;
    if (rule === "interpolate" && !isText) lines.set(key, betweenKnown(values, order.starts));
    columns.set(key, filled(table, name, isText, values, rule, order, ports, needed.get(key)));
  }
  return cut(table, columns, lines, order, ports, metadata, decode);
}

function orderRows(table, metadata) {
  const seriesNames = [metadata.series ?? []].flat();
  const time = metadata.order_by;
  const notes = [];
  const has = (name) => table.header.includes(name);
  if (time && !has(time)) notes.push(`There is no column \`${time}\`, by which training sorted rows: rows are taken in the order of the file.`);
  for (const name of seriesNames) {
    if (!has(name)) notes.push(`There is no column \`${name}\`, by which training told series apart: rows are taken ${seriesNames.length < 2 ? "as one series" : "as one series of each other key"}.`);
  }
  const keys = {};
  for (const name of [...(time ? [time] : []), ...seriesNames].filter(has)) {
    keys[name] = table.cells(name);
    const gap = keys[name].findIndex(isMissing);
    if (gap >= 0) throw new InputError(`${table.what}: column \`${name}\`, by which rows are ordered, has no value in row ${gap + 1}`);
  }
  let order = range(table.count);
  if (time && keys[time]) {
    const moments = sortKeys(keys[time], (cells) => table.orderNumbers(cells, time));
    order.sort((a, b) => (moments[a] < moments[b] ? -1 : moments[a] > moments[b] ? 1 : a - b));
  }
  const told = seriesNames.filter(has).map((name) => keys[name]);
  let starts = table.count ? [0] : [];
  if (told.length) {
    const groups = new Map();
    for (const row of order) {
      const name = JSON.stringify(told.map((cells) => cells[row]));
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    }
    order = [];
    starts = [];
    for (const rows of groups.values()) {
      starts.push(order.length);
      for (const row of rows) order.push(row);
    }
  }
  const stretches = starts.map((start, i) => [start, starts[i + 1] ?? order.length]);
  return { rows: order, starts, stretches, keys, notes };
}

/** The rows that an input reads, relative to a window's last row: [first, last]. */
const rowsOf = (port, lookback) => (port.step === null ? [0, 0] : port.rows || [1 - lookback, 0]);
const rowsAhead = (ports) => Math.max(0, ...Object.values(ports).filter((p) => p.rows).map((p) => rowsOf(p, 1)[1]));

/** By column, the rows in which it must have a value; nothing where that is all of them. */
function neededRows(order, ports, metadata) {
  const found = new Map();
  const ahead = metadata.window ? rowsAhead(ports) : 0;
  if (!ahead) return found;
  const { lookback } = metadata.window;
  for (const port of Object.values(ports)) {
    const [first, last] = rowsOf(port, lookback);
    for (const column of port.columns || []) {
      const key = `${isReadAsWords(port)}${column}`;
      const read = found.get(key) || new Array(order.rows.length).fill(false);
      for (const [start, stop] of order.stretches) {
        if (stop - ahead >= start + lookback) read.fill(true, start + lookback - 1 + first, stop - ahead + last);
      }
      found.set(key, read);
    }
  }
  return found;
}

function filled(table, name, isText, values, rule, order, ports, needed) {
  let known = values.map((value) => (isText ? value !== "" : !Number.isNaN(value)));
  if (rule === "forward_fill" || rule === "interpolate") {
    for (const [start, stop] of order.stretches) {
      for (let i = start + 1; i < stop; i++) {
        if (!known[i] && known[i - 1]) [values[i], known[i]] = [values[i - 1], true];
      }
    }
  }
  const readers = Object.values(ports).filter((port) => (port.columns || []).includes(name));
  if (readers.length && readers.every((port) => (port.gaps || []).includes(name))) known = known.map(() => true);
  values.forEach((value, i) => {
    if (!isText && Math.abs(value) === Infinity) known[i] = false;
    if (!known[i] && needed && !needed[i]) [values[i], known[i]] = [isText ? "" : 0, true];
  });
  const gaps = order.rows.filter((_, i) => !known[i]);
  if (gaps.length) {
    const row = Math.min(...gaps) + 1;
    throw new InputError(`${table.what}: column \`${name}\` has no ${isText ? "text" : "number"} in row ${row}`);
  }
  return values;
}

/** What gaps hold in windows that have a later known value: on the straight line between the known neighbours. */
function betweenKnown(values, starts) {
  const count = values.length;
  const line = [...values];
  const following = new Array(count).fill(count);
  starts.forEach((start, i) => {
    const stop = starts[i + 1] ?? count;
    for (let row = start, before = -1; row < stop; row++) {
      if (!Number.isNaN(values[row])) {
        before = following[row] = row;
        continue;
      }
      let after = row;
      while (after < stop && Number.isNaN(values[after])) after++;
      if (before < 0 || after === stop) continue;
      line[row] = values[before] + ((values[after] - values[before]) * (row - before)) / (after - before);
      following[row] = after;
    }
  });
  return { line, following };
}

function cut(table, columns, lines, order, ports, metadata, decode) {
  const window = metadata.window;
  const lookback = window ? window.lookback : 1;
  const stride = window ? window.stride || 1 : 1;
  const ahead = window ? rowsAhead(ports) : 0;
  const ends = [];
  if (window || Object.keys(metadata.states || {}).length) {
    for (const [start, stop] of order.stretches) {
      for (let end = start + lookback - 1; end < stop - ahead; end += stride) ends.push(end);
    }
  } else {
    range(order.rows.length).sort((a, b) => order.rows[a] - order.rows[b]).forEach((end) => ends.push(end));
  }
  if (!ends.length) {
    const longest = Math.max(0, ...order.stretches.map(([start, stop]) => stop - start));
    const needs = window ? `a window needs ${lookback}` : "at least one is needed";
    throw new InputError(`${table.what} has ${longest} rows, but ${needs}${ahead ? ` and ${ahead} ahead of it` : ""}`);
  }
  const prepared = {};
  for (const [name, port] of Object.entries(ports)) {
    prepared[name] = columnsOf(name, port).map((column) => {
      const values = columns.get(`${isReadAsWords(port)}${column}`);
      if (port.files || !takesCells(port)) return values;
      const taken = asTaken(port, values, table.what);
      refuseGaps(port, taken, table.what);
      return taken;
    });
  }
  const keys = {};
  for (const [name, cells] of Object.entries(order.keys)) keys[name] = ends.map((end) => cells[order.rows[end]]);
  for (const [name, port] of Object.entries(ports)) {
    if (port.files) keys[columnsOf(name, port)[0]] = ends.map((end) => prepared[name][0][end]);
  }
  const takePart = async (from, to) => {
    const part = ends.slice(from, to);
    const found = {};
    for (const [name, port] of Object.entries(ports)) {
      if (port.files) {
        found[name] = await decode(part.map((end) => prepared[name][0][end]), name, port);
        continue;
      }
      const step = window ? stepAxis(port, lookback) : null;
      const [first, last] = step === null ? [0, 0] : rowsOf(port, lookback);
      const steps = range(last - first + 1).map((i) => first + i);
      const names = columnsOf(name, port);
      const data = [];
      for (const end of part) {
        for (const offset of steps) {
          prepared[name].forEach((values, place) => {
            const between = lines.get(`${isReadAsWords(port)}${names[place]}`);
            const isOnLine = between && step !== null && between.following[end + offset] <= end + last;
            data.push(isOnLine ? between.line[end + offset] : values[end + offset]);
          });
        }
      }
      found[name] = placed(name, port, { dims: [part.length, steps.length, names.length], data }, step);
    }
    return found;
  };
  return { count: ends.length, take: takePart, keys, notes: order.notes };
}

/** The axis that runs along the window; null for an input that sees the window's last row alone. */
function stepAxis(port, lookback) {
  if (port.step !== undefined) return port.step;
  const axes = port.axes.filter(([name]) => name !== BATCH);
  const fitting = axes.filter(([, size]) => size === lookback || !Number.isInteger(size)).map(([name]) => name);
  if (axes.length === 1) return fitting.length && port.columns.length === 1 ? fitting[0] : null;
  return fitting.find((name) => !FEATURES.includes(name)) ?? fitting[0] ?? null;
}

/** Values with the axes `sample step column` in the order of the model's axes, with its axes of size 1. */
function placed(name, port, values, step) {
  const model = port.axes.map(([axis]) => axis);
  const sizes = Object.fromEntries(port.axes);
  const [, , count] = values.dims;
  const others = model.filter((axis) => axis !== BATCH && axis !== step);
  const along = others.find((axis) => sizes[axis] === count) ?? null;
  if (along === null && count !== 1) throw new InputError(`input \`${name}\` has no axis for its ${count} columns`);
  const named = [BATCH, step, along];
  const order = model.map((axis) => named.indexOf(axis)).filter((place) => place >= 0);
  const rest = [0, 1, 2].filter((place) => !order.includes(place)); // axes of size 1 that the model does not have
  const made = transpose(values, [...order, ...rest]);
  let next = 0;
  return { dims: model.map((axis) => (named.includes(axis) ? made.dims[next++] : 1)), data: made.data };
}

/** A table of a parsed CSV file. */
export function csvTable({ header, rows }, options, what, helpers) {
  const cellsOf = (name) => helpers.withoutMarkers(rows.map((row) => row[header.indexOf(name)]), options, name);
  return {
    what, header, count: rows.length, cells: cellsOf,
    column: (name, isText) => (isText ? wordsOf(cellsOf(name)) : numbersOf(cellsOf(name), options, name, what)),
    orderNumbers: (cells, name) => {
      try {
        return numbersOf(cells, options, name, what);
      } catch {
        return null;
      }
    },
  };
}
