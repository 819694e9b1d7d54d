// Arrays as the page handles them: {dims, data}, of which data are numbers, big integers, truth values or texts.

export const BATCH = "batch";

/** What is wrong with what was given: shown to whoever gave it. */
export class InputError extends Error {}

const STORES = {
  float32: Float32Array, float64: Float64Array, int32: Int32Array, uint32: Uint32Array, int16: Int16Array,
  uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array, int64: BigInt64Array, uint64: BigUint64Array,
};
const RANGES = {
  int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767], uint16: [0, 65535], int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

export const product = (sizes) => sizes.reduce((all, size) => all * size, 1);
export const range = (count) => Array.from({ length: count }, (_, i) => i);

/** Reorders axes: axis i of the result is axis `order[i]` of the array. */
export function transpose({ dims, data }, order) {
  if (order.every((axis, i) => axis === i)) return { dims, data };
  const strides = dims.map((_, i) => product(dims.slice(i + 1)));
  const made = order.map((axis) => dims[axis]);
  const steps = order.map((axis) => strides[axis]);
  const found = new Array(data.length);
  const at = made.map(() => 0);
  for (let i = 0, place = 0; i < found.length; i++) {
    found[i] = data[place];
    for (let axis = made.length - 1; axis >= 0; axis--) {
      place += steps[axis];
      if (++at[axis] < made[axis]) break;
      place -= steps[axis] * made[axis];
      at[axis] = 0;
    }
  }
  return { dims: made, data: found };
}

/** Elements of an axis, by their positions. */
export function take({ dims, data }, axis, positions) {
  const inner = product(dims.slice(axis + 1));
  const outer = product(dims.slice(0, axis));
  const found = new Array(outer * positions.length * inner);
  let next = 0;
  for (let i = 0; i < outer; i++) {
    for (const position of positions) {
      const start = (i * dims[axis] + position) * inner;
      for (let k = 0; k < inner; k++) found[next++] = data[start + k];
    }
  }
  return { dims: [...dims.slice(0, axis), positions.length, ...dims.slice(axis + 1)], data: found };
}

/** Arrays of one shape side by side along a new axis; shorter ones are filled up at their end. */
export function stack(arrays, axis, fill = 0) {
  const sizes = arrays[0].dims.map((_, i) => Math.max(...arrays.map((array) => array.dims[i])));
  const parts = arrays.map((array) => padded(array, sizes, fill));
  const order = range(sizes.length).map((i) => i + 1);
  order.splice(axis, 0, 0);
  return transpose({ dims: [parts.length, ...sizes], data: parts.flatMap((part) => Array.from(part.data)) }, order);
}

function padded({ dims, data }, sizes, fill) {
  if (sizes.every((size, i) => size === dims[i])) return { dims, data };
  const found = new Array(product(sizes)).fill(fill);
  const at = dims.map(() => 0);
  for (const value of data) {
    found[at.reduce((place, position, i) => place * sizes[i] + position, 0)] = value;
    for (let axis = dims.length - 1; axis >= 0 && ++at[axis] === dims[axis]; axis--) at[axis] = 0;
  }
  return { dims: sizes, data: found };
}

/** Nested lists as an array. */
export function fromLists(lists, what) {
  const dims = [];
  for (let level = lists; Array.isArray(level); level = level[0]) dims.push(level.length);
  const data = [];
  const walk = (level, depth) => {
    if (depth === dims.length) {
      if (Array.isArray(level)) throw new InputError(`${what}: its lists differ in length`);
      data.push(level);
      return;
    }
    if (!Array.isArray(level) || level.length !== dims[depth]) {
      throw new InputError(`${what}: its lists differ in length`);
    }
    for (const item of level) walk(item, depth + 1);
  };
  walk(lists, 0);
  return { dims, data };
}

export const batchAxis = (port) => {
  const place = port.axes.findIndex(([name]) => name === BATCH);
  return place < 0 ? null : place;
};

/** The array in the type of an input, once its axes, sizes and values are what the model takes. */
export function castTo(port, name, array) {
  const { dims, data } = array;
  const shown = port.axes.map(([axis]) => axis).join(", ");
  if (dims.length !== port.axes.length) {
    throw new InputError(`input \`${name}\` has ${dims.length} axes, but needs ${port.axes.length}: (${shown})`);
  }
  port.axes.forEach(([axis, size], i) => {
    if (Number.isInteger(size) && dims[i] !== size) {
      throw new InputError(`axis \`${axis}\` of input \`${name}\` has size ${dims[i]}, but the model takes ${size}`);
    }
    if (dims[i] === 0) throw new InputError(`axis \`${axis}\` of input \`${name}\` is empty`);
  });
  return { dims, type: port.type, data: cast(port, name, data) };
}

function cast(port, name, data) {
  if (port.type === "string") {
    for (const value of data) {
      if (typeof value !== "string") throw new InputError(`input \`${name}\` takes text, but has ${String(value)}`);
    }
    return Array.from(data);
  }
  const strange = Array.prototype.find.call(data, (value) => !["number", "bigint", "boolean"].includes(typeof value));
  if (strange !== undefined) throw new InputError(`input \`${name}\` takes numbers, but has \`${String(strange)}\``);
  if (port.type === "bool") return Uint8Array.from(data, (value) => (Number(value) ? 1 : 0));
  if (port.type === "int64" || port.type === "uint64") return bigIntegers(port, name, data);
  if (port.type.startsWith("float")) return floats(port, name, data);
  const [least, most] = RANGES[port.type];
  for (const value of data) {
    if (!Number.isInteger(Number(value)) || value < least || value > most) {
      throw new InputError(`input \`${name}\` takes ${port.type}, but has ${String(value)}`);
    }
  }
  return STORES[port.type].from(data, Number);
}

function bigIntegers(port, name, data) {
  return STORES[port.type].from(data, (value) => {
    if (typeof value === "bigint") return value;
    if (!Number.isInteger(Number(value))) {
      throw new InputError(`input \`${name}\` takes ${port.type}, but has ${String(value)}`);
    }
    return BigInt(Number(value));
  });
}

function floats(port, name, data) {
  const mayLack = (port.gaps || []).length > 0;
  const largest = port.type === "float32" ? 3.4028235e38 : port.type === "float16" ? 65504 : Infinity;
  for (const value of data) {
    const number = Number(value);
    if (Number.isNaN(number) ? !mayLack : Math.abs(number) > largest || !Number.isFinite(number)) {
      throw new InputError(`input \`${name}\` has ${Number.isNaN(number) ? "no number" : number} in one place`);
    }
  }
  if (port.type === "float16") return Uint16Array.from(data, (value) => toHalf(Number(value)));
  return STORES[port.type].from(data, Number);
}

/** The bits of a number in 16 bits, rounded to the nearest even. */
export function toHalf(value) {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return sign;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const even = (x) => {
    const low = Math.floor(x);
    return x - low > 0.5 || (x - low === 0.5 && low % 2) ? low + 1 : low;
  };
  const steps = even(size * 2 ** (10 - exponent));
  return sign | (((exponent + 14) << 10) + steps);
}

/** The number of 16 bits. */
export function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const rest = bits & 1023;
  const size = exponent === 31 ? (rest ? NaN : Infinity)
    : exponent ? (1 + rest / 1024) * 2 ** (exponent - 15) : rest * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}
