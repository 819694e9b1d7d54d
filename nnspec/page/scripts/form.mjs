// The fields of one sample, and what is in them as samples.

import { asTaken, refuseGaps, takesCells } from "./cells.mjs";
import { csvTable, samplesOfTable } from "./table.mjs";
import { parseCsv, withoutMarkers } from "./csv.mjs";
import { decodePicture, fitted, fromImageData, inMode } from "./pictures.mjs";
import { decodeClip, fittedClip } from "./sound.mjs";
import { BATCH, InputError, batchAxis, fromLists, product, stack, transpose } from "./tensors.mjs";

/** A picture as an input takes it: axes those of the input without batch. `port.picture` says how. */
export function pictureArray(picture, port) {
  const { axes, size, mode, fit, white } = port.picture;
  const made = fitted(inMode(picture, mode), size[1], size[0], fit);
  const roles = port.axes.filter(([axis]) => axis !== BATCH).map(([axis]) => axes[axis]);
  const named = mode.length > 1 ? ["height", "width", "channel"] : ["height", "width"];
  const dims = mode.length > 1 ? [size[0], size[1], mode.length] : [size[0], size[1]];
  const order = roles.map((role) => named.indexOf(role)).filter((place) => place >= 0);
  const data = white === 255 ? Array.from(made.data) : Array.from(made.data, (value) => (value / 255) * white);
  const array = transpose({ dims, data }, order);
  let next = 0;
  return { dims: roles.map((role) => (named.includes(role) ? array.dims[next++] : 1)), data: array.data };
}

/** The values of a file for an input that takes files: axes without batch. */
export async function decodeFor(blob, port, what) {
  if (port.files.kind === "images") return pictureArray(await decodePicture(blob, what), port);
  if (port.files.kind === "audio") return fittedClip(await decodeClip(blob, what), port, what);
  const text = decoded(new Uint8Array(await blob.arrayBuffer()), port.files.encoding || "utf-8", what);
  return { dims: port.axes.filter(([axis]) => axis !== BATCH).map(() => 1), data: [text] };
}

export function decoded(bytes, encoding, what) {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${what} is not ${encoding.toUpperCase()} text`);
  }
}

const withBatch = (array, port) => stack([array], batchAxis(port) ?? 0);

/** The form of one sample. */
export class Form {
  constructor(root, page) {
    Object.assign(this, { root, page, given: {} });
    for (const field of root.querySelectorAll("[data-kind=picture]")) this.preparePicture(field);
    for (const field of root.querySelectorAll("[data-kind=clip]")) this.prepareClip(field);
    for (const chooser of root.querySelectorAll("[data-loads]")) this.prepareText(chooser);
  }

  /** The samples that the fields hold: one, or the windows of a table. */
  async samples() {
    const table = this.root.querySelector("[data-kind=table]");
    const { states } = this.page;
    const ports = Object.fromEntries(Object.entries(this.page.inputs).filter(([name]) => !(name in states)));
    if (table) {
      const options = this.page.options;
      const parsed = parseCsv(table.value, options, "the table");
      const made = samplesOfTable(csvTable(parsed, options, "the table", { withoutMarkers }), ports, this.page, () => {
        throw new InputError("choose the table and its files under `A file`");
      });
      return { ...made, notes: [] };
    }
    const arrays = {};
    for (const [name, port] of Object.entries(ports)) arrays[name] = this.arrayOf(name, port);
    return { count: 1, keys: {}, notes: [], take: async () => arrays };
  }

  arrayOf(name, port) {
    const fields = [...this.root.querySelectorAll("[data-input]")].filter((field) => field.dataset.input === name);
    const kind = fields[0].dataset.kind;
    if (kind === "picture" || kind === "clip") {
      if (!this.given[name]) throw new InputError(`\`${name}\` needs a ${kind === "clip" ? "sound file" : "image"}`);
      return withBatch(this.given[name], port);
    }
    if (kind === "values") return withBatch(this.valuesOf(fields[0], name, port), port);
    const shape = port.axes.filter(([axis]) => axis !== BATCH).map(([, size]) => (Number.isInteger(size) ? size : fields.length));
    const cells = fields.map((field) => contentOf(field));
    let data = cells;
    if (takesCells(port)) {
      data = asTaken(port, cells, "the form");
      refuseGaps(port, data, "the form");
    } else if (port.type !== "string") data = cells.map((cell, i) => numberOf(cell, fields[i]));
    if (product(shape) !== data.length) throw new InputError(`\`${name}\` takes ${product(shape)} values`);
    return withBatch({ dims: shape, data }, port);
  }

  valuesOf(field, name, port) {
    let body;
    try {
      body = JSON.parse(field.value);
    } catch (error) {
      throw new InputError(`\`${name}\` is no list of numbers as JSON: ${error.message}`);
    }
    const array = fromLists(body, `\`${name}\``);
    const isText = port.type === "string";
    const data = array.data.map((value) => (value === null ? (isText ? "" : NaN) : isText && !takesCells(port) ? String(value) : value));
    return { dims: array.dims, data: takesCells(port) ? asTaken(port, data.map(String), `\`${name}\``) : data };
  }

  preparePicture(field) {
    const name = field.dataset.input;
    const port = this.page.inputs[name];
    const canvas = field.querySelector("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const start = this.page.sample?.[name];
    const draws = { isDark: port.picture.is_dark };
    const paper = () => (draws.isDark ? "#ffffff" : "#000000");
    const keep = () => {
      this.given[name] = pictureArray(fromImageData(context.getImageData(0, 0, canvas.width, canvas.height)), port);
    };
    const clear = () => {
      context.fillStyle = paper();
      context.fillRect(0, 0, canvas.width, canvas.height);
    };
    clear();
    if (start) {
      this.given[name] = start;
      showArray(context, start, port);
    } else keep();
    field.querySelector("button").addEventListener("click", () => {
      clear();
      keep();
    });
    field.querySelector("input[type=file]").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      await this.telling(async () => {
        this.given[name] = pictureArray(await decodePicture(file, `\`${file.name}\``), port);
        clear();
        showArray(context, this.given[name], port);
      });
    });
    let before = null;
    const point = (event) => [(event.offsetX * canvas.width) / canvas.clientWidth, (event.offsetY * canvas.height) / canvas.clientHeight];
    canvas.addEventListener("pointerdown", (event) => {
      before = point(event);
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!before) return;
      Object.assign(context, { strokeStyle: draws.isDark ? "#000000" : "#ffffff", lineCap: "round", lineWidth: canvas.width / 12 });
      context.beginPath();
      context.moveTo(...before);
      context.lineTo(...(before = point(event)));
      context.stroke();
    });
    canvas.addEventListener("pointerup", () => {
      before = null;
      keep();
    });
  }

  prepareClip(field) {
    const name = field.dataset.input;
    const port = this.page.inputs[name];
    if (this.page.sample?.[name]) this.given[name] = this.page.sample[name];
    field.querySelector("input[type=file]").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      await this.telling(async () => {
        this.given[name] = await decodeFor(file, port, `\`${file.name}\``);
        field.querySelector("output").textContent = `${file.name}, ${this.given[name].data.length} values`;
      });
    });
  }

  /** A chooser that loads a file's text into another field. */
  prepareText(chooser) {
    chooser.addEventListener("change", async () => {
      const [file] = chooser.files;
      if (file) document.getElementById(chooser.dataset.loads).value = await file.text();
    });
  }

  async telling(act) {
    try {
      await act();
      this.tell?.("");
    } catch (error) {
      this.tell?.(error.message);
    }
  }
}

/** What a field holds, as a cell of a table would. */
function contentOf(field) {
  if (field.multiple) return [...field.selectedOptions].map((option) => option.value).join(field.dataset.separator);
  return field.value;
}

function numberOf(cell, field) {
  if (field.validity?.badInput) throw new InputError(`\`${field.dataset.column}\` is not a number`);
  if (cell.trim() !== "") return Number(cell);
  if (field.dataset.gap === "yes") return NaN;
  throw new InputError(`\`${field.dataset.column}\` has no number`);
}

/** Draws the values of a picture, large. */
function showArray(context, array, port) {
  const { axes, size, mode, white } = port.picture;
  const roles = port.axes.filter(([axis]) => axis !== BATCH).map(([axis]) => axes[axis]);
  const strides = Object.fromEntries(roles.map((role, i) => [role, product(array.dims.slice(i + 1))]));
  const image = new ImageData(size[1], size[0]);
  for (let y = 0; y < size[0]; y++) {
    for (let x = 0; x < size[1]; x++) {
      for (let k = 0; k < 4; k++) {
        const channel = mode.length > 1 ? Math.min(k, mode.length - 1) : 0;
        const place = y * strides.height + x * strides.width + channel * (strides.channel ?? 0);
        image.data[(y * size[1] + x) * 4 + k] = k === 3 && mode.length < 4 ? 255 : (array.data[place] * 255) / white;
      }
    }
  }
  const small = document.createElement("canvas");
  [small.width, small.height] = [size[1], size[0]];
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, context.canvas.width, context.canvas.height);
}
