// Pictures as `nnspec.runtime.media.images` decodes them: upright, in grey, RGB or RGBA, resized as Pillow does.

import { unpacked } from "./arrays.mjs";
import { InputError } from "./tensors.mjs";

const PNG = [0x89, 0x50, 0x4e, 0x47];

/** A picture: {width, height, mode: "L" | "LA" | "RGB" | "RGBA", data}. */
export async function decodePicture(blob, what) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const isPng = PNG.every((byte, i) => bytes[i] === byte);
  const isOther = (bytes[0] === 0xff && bytes[1] === 0xd8) || (ascii(bytes, 0) === "RIFF" && ascii(bytes, 8) === "WEBP");
  if (!isPng && !isOther) throw new InputError(`${what} is not a PNG, JPEG or WebP`);
  try {
    return (isPng && (await decodePng(bytes))) || (await decodeByBrowser(blob));
  } catch (error) {
    throw new InputError(`${what} is damaged (${error.message})`);
  }
}

const ascii = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + 4));

async function decodeByBrowser(blob) {
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const bitmap = await createImageBitmap(blob, options);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return fromImageData(context.getImageData(0, 0, bitmap.width, bitmap.height));
}

export const fromImageData = ({ width, height, data }) => ({ width, height, mode: "RGBA", data: Uint8Array.from(data) });

/** The pixels of a PNG, exact for 16 bits and transparency, which a canvas is not; null for what the browser does. */
async function decodePng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [];
  let [header, palette, clear] = [null, null, null];
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = ascii(bytes, at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") header = { width: view.getUint32(at + 8), height: view.getUint32(at + 12), depth: body[8], colour: body[9], isInterlaced: body[12] };
    if (kind === "PLTE") palette = body;
    if (kind === "tRNS") clear = body;
    if (kind === "IDAT") parts.push(body);
    if (kind === "eXIf") return null;
    at += 12 + length;
    if (kind === "IEND") break;
  }
  if (!header || header.isInterlaced) return null;
  const { width, height, depth, colour } = header;
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colour];
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((place, part) => (joined.set(part, place), place + part.length), 0);
  const lines = await unpacked(joined, "deflate");
  const row = Math.ceil((width * channels * depth) / 8);
  if (lines.length < (row + 1) * height) throw new Error("it is truncated");
  unfilter(lines, row, height, Math.max(1, (channels * depth) / 8));
  const values = new Uint8Array(width * height * channels);
  const most = 2 ** depth - 1;
  for (let y = 0, next = 0; y < height; y++) {
    const start = y * (row + 1) + 1;
    for (let x = 0; x < width * channels; x++) {
      if (depth === 16) values[next++] = lines[start + 2 * x];
      else if (depth === 8) values[next++] = lines[start + x];
      else {
        const value = (lines[start + ((x * depth) >> 3)] >> (8 - depth - ((x * depth) & 7))) & most;
        values[next++] = colour === 3 ? value : (value * 255) / most;
      }
    }
  }
  if (colour === 3) return ofPalette(width, height, values, palette, clear);
  return { width, height, mode: { 1: "L", 2: "LA", 3: "RGB", 4: "RGBA" }[channels], data: values };
}

function unfilter(lines, row, height, step) {
  for (let y = 0; y < height; y++) {
    const at = y * (row + 1);
    const kind = lines[at];
    for (let i = 0; i < row; i++) {
      const place = at + 1 + i;
      const left = i >= step ? lines[place - step] : 0;
      const up = y ? lines[place - row - 1] : 0;
      const corner = y && i >= step ? lines[place - row - 1 - step] : 0;
      lines[place] += [0, left, up, (left + up) >> 1, kind === 4 ? paeth(left, up, corner) : 0][kind];
    }
  }
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function ofPalette(width, height, indices, palette, clear) {
  const size = clear ? 4 : 3;
  const data = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => {
    for (let k = 0; k < 3; k++) data[i * size + k] = palette[3 * index + k] ?? 0;
    if (clear) data[i * size + 3] = clear[index] ?? 255;
  });
  return { width, height, mode: clear ? "RGBA" : "RGB", data };
}

/** Grey, RGB or RGBA; transparency that the mode lacks is dropped. */
export function inMode(picture, mode) {
  if (picture.mode === mode) return picture;
  const from = picture.mode.length;
  const isGrey = picture.mode[0] === "L";
  const to = mode.length;
  const count = picture.width * picture.height;
  const data = new Uint8Array(count * to);
  for (let i = 0; i < count; i++) {
    const at = i * from;
    const [r, g, b] = isGrey ? [0, 0, 0].map(() => picture.data[at]) : picture.data.subarray(at, at + 3);
    if (mode === "L") data[i] = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
    else data.set(to === 3 ? [r, g, b] : [r, g, b, from % 2 ? 255 : picture.data[at + from - 1]], i * to);
  }
  return { ...picture, mode, data };
}

/** Resized as the model was trained on: fit is stretch, crop or pad. */
export function fitted(picture, width, height, fit) {
  const even = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  if (fit === "crop") {
    const [ratio, wanted] = [picture.width / picture.height, width / height];
    const wide = ratio === wanted || ratio < wanted ? picture.width : wanted * picture.height;
    const high = ratio === wanted || ratio >= wanted ? picture.height : picture.width / wanted;
    const [left, top] = [(picture.width - wide) / 2, (picture.height - high) / 2];
    return resized(picture, width, height, [left, top, left + wide, top + high].map(Math.fround));
  }
  if (fit === "pad") {
    const [ratio, wanted] = [picture.width / picture.height, width / height];
    let [wide, high] = [width, height];
    if (ratio > wanted) high = even((picture.height / picture.width) * width);
    else if (ratio < wanted) wide = even((picture.width / picture.height) * height);
    const inner = resized(picture, wide, high);
    if (wide === width && high === height) return inner;
    const size = picture.mode.length;
    const data = new Uint8Array(width * height * size);
    const [left, top] = wide !== width ? [even((width - wide) / 2), 0] : [0, even((height - high) / 2)];
    for (let y = 0; y < high; y++) data.set(inner.data.subarray(y * wide * size, (y + 1) * wide * size), ((y + top) * width + left) * size);
    return { width, height, mode: picture.mode, data };
  }
  return resized(picture, width, height);
}

/** Bilinear with antialiasing, in whole numbers as Pillow's resampling. */
function resized(picture, width, height, box = [0, 0, picture.width, picture.height]) {
  const isWhole = box[0] === 0 && box[1] === 0 && box[2] === picture.width && box[3] === picture.height;
  if (isWhole && picture.width === width && picture.height === height) return picture;
  const size = picture.mode.length;
  const hasAlpha = picture.mode === "RGBA" || picture.mode === "LA";
  let { data } = hasAlpha ? multiplied(picture) : picture;
  let [wide, high] = [picture.width, picture.height];
  const across = () => {
    if (width === wide && !box[0] && box[2] === width) return;
    data = along(data, coefficients(wide, box[0], box[2], width), high, wide * size, size);
    wide = width;
  };
  const downward = () => {
    if (height === high && !box[1] && box[3] === height) return;
    data = down(data, coefficients(high, box[1], box[3], height), wide * size);
    high = height;
  };
  // Each pass rounds, so that the order matters: Pillow 13 goes down first where that takes away most, older ones never.
  const [fewerRows, fewerColumns] = [picture.height - height, picture.width - width];
  const isDownFirst = fewerRows > 0 && 2 * fewerColumns < fewerRows;
  for (const pass of isDownFirst ? [downward, across] : [across, downward]) pass();
  const made = { width, height, mode: picture.mode, data };
  return hasAlpha ? divided(made) : made;
}

const BITS = 22;

function coefficients(size, from, to, count) {
  const scale = Math.fround(to - from) / count; // in single precision, as in Pillow
  const wide = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const centre = from + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - wide + 0.5));
    const last = Math.min(size, Math.trunc(centre + wide + 0.5));
    const weights = [];
    for (let x = first; x < last; x++) weights.push(Math.max(0, 1 - Math.abs((x - centre + 0.5) * (1 / wide))));
    const sum = weights.reduce((all, weight) => all + weight, 0);
    return { first, weights: weights.map((weight) => Math.trunc(0.5 + (weight / sum) * (1 << BITS))) };
  });
}

const clipped = (sum) => Math.max(0, Math.min(255, sum >> BITS));

function along(data, steps, rows, row, size) {
  const made = new Uint8Array(rows * steps.length * size);
  for (let y = 0, next = 0; y < rows; y++) {
    for (const { first, weights } of steps) {
      for (let k = 0; k < size; k++) {
        let sum = 1 << (BITS - 1);
        for (let i = 0; i < weights.length; i++) sum += data[y * row + (first + i) * size + k] * weights[i];
        made[next++] = clipped(sum);
      }
    }
  }
  return made;
}

function down(data, steps, row) {
  const made = new Uint8Array(steps.length * row);
  steps.forEach(({ first, weights }, y) => {
    for (let x = 0; x < row; x++) {
      let sum = 1 << (BITS - 1);
      for (let i = 0; i < weights.length; i++) sum += data[(first + i) * row + x] * weights[i];
      made[y * row + x] = clipped(sum);
    }
  });
  return made;
}

function multiplied(picture) {
  const size = picture.mode.length;
  return each(picture, (value, alpha) => {
    const product = value * alpha + 128;
    return ((product >> 8) + product) >> 8;
  }, size);
}

function divided(picture) {
  const whole = (value, alpha) => (alpha === 0 || alpha === 255 ? value : Math.min(255, Math.trunc((255 * value) / alpha)));
  return each(picture, whole, picture.mode.length);
}

function each(picture, change, size) {
  const data = picture.data.map((value, i) => {
    const place = i % size;
    return place === size - 1 ? value : change(value, picture.data[i - place + size - 1]);
  });
  return { ...picture, data };
}
