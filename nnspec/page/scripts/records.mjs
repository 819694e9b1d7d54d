// Outputs by the names of columns that `nnspec predict` writes (`nnspec.runtime.writing`).

import { BATCH, product, range, transpose } from "./tensors.mjs";

/** An output with its batch axis first: {dims, data, axes}. */
export function batchFirst(array, body) {
  let axes = (body.axes || []).map(([axis]) => axis);
  if (axes.length !== array.dims.length) axes = [BATCH, ...range(array.dims.length - 1).map((i) => `axis_${i + 1}`)];
  const place = axes.indexOf(BATCH);
  if (place < 0) return { dims: [1, ...array.dims], data: array.data, axes: [BATCH, ...axes] };
  const order = [place, ...range(axes.length).filter((i) => i !== place)];
  return { ...transpose(array, order), axes: order.map((i) => axes[i]) };
}

/** The array with one of its axes last. */
export function lastAxis(array, place) {
  const order = [...range(array.dims.length).filter((i) => i !== place), place];
  return { ...transpose(array, order), axes: order.map((i) => array.axes[i]) };
}

/** What tells an output's elements apart: nothing for one, `+1`, `_wind+2`, … for rows ahead, else `_0`, `_1_2`, …. */
function endings(shape, body) {
  const count = product(shape);
  if (count === 1) return [""];
  if ((body.elements || []).length === count) return body.elements;
  return range(count).map((i) => {
    const at = [];
    for (let rest = i, axis = shape.length - 1; axis >= 0; axis--) {
      at.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    return `_${at.join("_")}`;
  });
}

/** The place of the axis of classes in an output; null where it has none. */
export function classAxis(array, body) {
  const count = (body.classes || []).length;
  const named = array.axes.indexOf(body.class_axis || "class");
  if (named >= 0 && array.dims[named] === count) return named;
  return array.dims.length > 1 && array.dims.at(-1) === count ? array.dims.length - 1 : null;
}

const isScore = (array) => typeof array.data[0] === "number";

/** Columns of all outputs, a value a sample, by name. */
export function columnsOfOutputs(outputs, page, keys = {}) {
  const found = {};
  for (const [name, array] of Object.entries(outputs)) Object.assign(found, columnsOf(name, array, page.outputs[name] || {}));
  return { ...Object.fromEntries(Object.entries(keys).filter(([name]) => !(name in found))), ...found };
}

function columnsOf(name, raw, body) {
  let array = batchFirst(raw, body);
  if (body.levels && array.axes.includes("level")) array = lastAxis(array, array.axes.indexOf("level"));
  const count = array.dims[0];
  const found = {};
  const place = body.task === "classification" && body.classes && body.dtype !== "string" && isScore(array) ? classAxis(array, body) : null;
  if (place !== null) {
    const scores = lastAxis(array, place);
    const size = body.classes.length;
    const ends = endings(scores.dims.slice(1, -1), body);
    ends.forEach((end, i) => {
      const of = (sample, k) => scores.data[(sample * ends.length + i) * size + k];
      found[name + end] = range(count).map((sample) => body.classes[argmax(range(size).map((k) => of(sample, k)))]);
      body.classes.forEach((label, k) => {
        found[`${name}${end}_p_${label}`] = range(count).map((sample) => of(sample, k));
      });
    });
    return found;
  }
  const width = array.data.length / count;
  const column = (i) => range(count).map((sample) => array.data[sample * width + i]);
  if (body.task === "binary" && isScore(array)) {
    const labels = body.classes || [0, 1];
    endings(array.dims.slice(1), body).forEach((end, i) => {
      found[name + end] = column(i).map((p) => labels[p > (body.threshold ?? 0.5) ? 1 : 0]);
      found[`${name}${end}_p`] = column(i);
    });
    return found;
  }
  if (body.levels && array.axes.at(-1) === "level") {
    const size = body.levels.length;
    elementNames(body, width / size, array.dims.slice(1, -1)).forEach((end, i) => {
      body.levels.forEach((level, k) => {
        found[`${name}${end}_q${level}`] = column(i * size + k);
      });
    });
    return found;
  }
  elementNames(body, width, array.dims.slice(1)).forEach((end, i) => {
    found[name + end] = column(i);
  });
  return found;
}

/** What is put behind an output's name for each of its elements. */
export function elementNames(body, width, shape) {
  const called = body.columns || (body.task === "multilabel" ? body.classes : null) || [];
  return called.length === width && width > 1 ? called.map((each) => `_${each}`) : endings(shape, body);
}

export const argmax = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
