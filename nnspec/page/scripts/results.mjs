// Shows what the model said: of one sample bars and values, of many a table, and both as a file.

import { argmax, batchFirst, classAxis, columnsOfOutputs, elementNames, lastAxis } from "./records.mjs";

const MOST_CELLS = 2000;
const MOST_VALUES = 500;
const MOST_BARS = 20;

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("data-") || name === "role" || name.startsWith("aria-") || name === "scope") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** A number as people read it. */
export function shown(value) {
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return Number.isFinite(value) ? String(Number(value.toPrecision(5))) : "not a number";
}

/** What all values of an output are measured in, with `before` in front of it; nothing where nobody said. */
const unitOf = (body, before) => (body.unit ? `${before}${body.unit}` : "");

/** What an output is measured in: `°F`, or `°F (temp), mph (wind)` where its columns have several units. */
const unitsIn = (body) => body.unit || Object.entries(body.units || {}).map(([column, unit]) => `${unit} (${column})`).join(", ");

/** What each output is measured in, in words: `forecast in °F`. */
function unitsOf(outputs, page) {
  const found = Object.keys(outputs).map((name) => [name, unitsIn(page.outputs[name] || {})]);
  return found.filter(([, units]) => units).map(([name, units]) => `${name} in ${units}`).join("; ");
}

const percent = (value) => `${(100 * value).toFixed(1)} %`;

/** Puts the outputs into `place`. */
export function showOutputs(place, outputs, page, samples) {
  const columns = columnsOfOutputs(outputs, page, samples.keys);
  const parts = samples.count === 1 ? cards(outputs, page) : [table(columns, samples.count, unitsOf(outputs, page))];
  for (const note of samples.notes || []) parts.unshift(element("p", { className: "note", textContent: note }));
  parts.push(links(columns, outputs, page));
  place.replaceChildren(...parts);
}

function cards(outputs, page) {
  return Object.entries(outputs).map(([name, raw]) => {
    const body = page.outputs[name] || {};
    const array = batchFirst(raw, body);
    const title = element("h3", { textContent: name });
    if (body.task === "label") return element("section", {}, title, ...values(name, array, { ...body, columns: null }, "is-label"));
    const isScore = typeof array.data[0] === "number";
    const place = body.task === "classification" && body.classes && isScore ? classAxis(array, body) : null;
    if (place !== null && array.data.length === body.classes.length) {
      return element("section", {}, title, ...bars(name, body.classes, array.data, null));
    }
    if (place !== null) return element("section", {}, title, ...elements(name, lastAxis(array, place), body));
    if (body.task === "binary" && isScore && array.data.length === 1) {
      return element("section", {}, title, ...binary(name, array.data[0], body));
    }
    if (body.task === "multilabel" && isScore && (body.classes || body.columns || []).length === array.data.length) {
      return element("section", {}, title, ...bars(name, body.classes || body.columns, array.data, body.threshold ?? 0.5));
    }
    if (body.task === "anomaly" && body.threshold !== undefined && array.data.length === 1) {
      const verdict = array.data[0] > body.threshold ? "above the threshold: an anomaly" : "not above the threshold: no anomaly";
      const text = `The threshold is ${shown(body.threshold)}; the score is ${verdict}.`;
      return element("section", {}, title, ...values(name, array, body), element("p", { className: "verdict", textContent: text }));
    }
    return element("section", {}, title, ...values(name, array, body));
  });
}

function binary(name, p, body) {
  const labels = body.classes || [0, 1];
  const threshold = body.threshold ?? 0.5;
  const said = `${labels[p > threshold ? 1 : 0]} (${labels[1]} where its probability is above ${shown(threshold)})`;
  return [element("p", { className: "verdict", textContent: said }), ...bars(name, [labels[1]], [p], threshold, false)];
}

function bars(name, labels, scores, threshold, hasVerdict = true) {
  const order = scores.map((_, i) => i);
  if (threshold === null) order.sort((a, b) => scores[b] - scores[a] || a - b);
  const rows = order.map((i) => {
    const fill = element("span", { className: "fill" });
    fill.style.width = `${Math.max(0, Math.min(1, scores[i])) * 100}%`;
    const bar = element("span", { className: "bar", "aria-hidden": "true" }, fill);
    if (threshold !== null) {
      const mark = element("span", { className: "mark" });
      mark.style.left = `${threshold * 100}%`;
      bar.append(mark);
    }
    const value = element("span", { className: "value", textContent: percent(scores[i]), "data-output": name, "data-index": i, "data-value": scores[i] });
    return element("li", {}, element("span", { className: "label", textContent: String(labels[i]) }), bar, value);
  });
  const parts = [element("ol", { className: "bars" }, ...rows.slice(0, MOST_BARS))];
  if (rows.length > MOST_BARS) {
    parts.push(element("details", {}, element("summary", { textContent: `${rows.length - MOST_BARS} more` }), element("ol", { className: "bars" }, ...rows.slice(MOST_BARS))));
  }
  if (hasVerdict) {
    const chosen = threshold === null ? [String(labels[argmax(scores)])] : labels.filter((_, i) => scores[i] > threshold).map(String);
    parts.unshift(element("p", { className: "verdict", textContent: chosen.join(", ") || "none of them" }));
  }
  return parts;
}

/** Classes of many elements, such as the pixels of a picture: a row an element. */
function elements(name, array, body) {
  const size = body.classes.length;
  const ends = elementNames({ elements: body.elements }, array.data.length / size, array.dims.slice(1, -1));
  const rows = ends.slice(0, MOST_VALUES).map((end, i) => {
    const scores = array.data.slice(i * size, (i + 1) * size);
    const best = argmax(scores);
    return [end.slice(1).replaceAll("_", ", "), String(body.classes[best]), percent(scores[best])];
  });
  return [grid(["element", "class", "probability"], rows, `Classes of ${name}`), more(ends.length)];
}

function values(name, array, body) {
  const levels = body.levels && array.axes.includes("level") ? body.levels : null;
  const ordered = levels ? lastAxis(array, array.axes.indexOf("level")) : array;
  const width = ordered.data.length / (levels ? levels.length : 1);
  const shape = levels ? ordered.dims.slice(1, -1) : ordered.dims.slice(1);
  const names = elementNames(body, width, shape).map((end) => end.slice(1).replaceAll("_", " ") || name);
  const cell = (i) => ({ text: shown(ordered.data[i]), value: ordered.data[i], index: i, output: name });
  if (!levels && width === 1) {
    const found = cell(0);
    const value = element("span", { textContent: found.text, "data-output": name, "data-index": 0, "data-value": found.value });
    const [ahead] = body.horizon || [0];
    const when = ahead ? [element("p", { className: "note", textContent: `${ahead} ${ahead === 1 ? "row" : "rows"} after the last one` })] : [];
    return [element("p", { className: "verdict" }, value, unitOf(body, " ")), ...when];
  }
  const rows = names.slice(0, MOST_VALUES).map((each, i) => [each, ...(levels ? levels.map((_, k) => cell(i * levels.length + k)) : [cell(i)])]);
  const steps = body.horizon && body.horizon.length === width ? rows.map((row, i) => [`${body.horizon[i]} ahead`, ...row.slice(1)]) : rows;
  const head = levels ? ["", ...levels.map((level) => `${shown(level * 100)} %`)] : ["", "value"];
  const units = unitsIn(body);
  return [grid(head, steps, `${levels ? "Quantiles" : "Values"} of ${name}${units && `, in ${units}`}`), more(width)];
}

const more = (count) => (count > MOST_VALUES ? element("p", { className: "note", textContent: `The first ${MOST_VALUES} of ${count}; the files below have all.` }) : "");

function grid(head, rows, caption) {
  const made = element("table", {}, element("caption", { textContent: caption }));
  const line = element("tr", {}, ...head.map((text) => (text ? element("th", { scope: "col", textContent: text }) : element("td"))));
  made.append(element("thead", {}, line));
  const lines = rows.map((row) => element("tr", {}, ...row.map((cell, i) => {
    if (i === 0) return element("th", { scope: "row", textContent: String(cell) });
    if (typeof cell !== "object") return element("td", { textContent: String(cell) });
    return element("td", { textContent: cell.text, "data-output": cell.output, "data-index": cell.index, "data-value": String(cell.value) });
  })));
  made.append(element("tbody", {}, ...lines));
  return element("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": caption }, made);
}

function table(columns, count, units) {
  const names = Object.keys(columns);
  const most = Math.min(count, Math.max(10, Math.floor(MOST_CELLS / names.length)));
  const rows = Array.from({ length: most }, (_, i) => [
    i + 1, ...names.map((name) => ({ text: shown(columns[name][i]), value: columns[name][i], index: i, output: name })),
  ]);
  const caption = count > most ? `The first ${most} of ${count} predictions; the files below have all` : `${count} predictions`;
  return grid(["sample", ...names], rows, units ? `${caption}; ${units}` : caption);
}

function links(columns, outputs, page) {
  const names = Object.keys(columns);
  const quoted = (value) => (/[",\n\r]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const count = names.length ? columns[names[0]].length : 0;
  const lines = Array.from({ length: count }, (_, i) => names.map((name) => quoted(columns[name][i])).join(","));
  const csv = [names.map(quoted).join(","), ...lines, ""].join("\n");
  const nested = Object.fromEntries(Object.entries(outputs).map(([name, array]) => [name, { dims: array.dims, data: array.data.map((value) => (typeof value === "bigint" ? String(value) : value)) }]));
  return element("p", { className: "links" }, link("predictions.csv", csv, "text/csv"), " ", link("predictions.json", JSON.stringify(nested), "application/json"));
}

function link(name, text, type) {
  return element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name, textContent: `Save as ${name}` });
}
