// Runs the model on samples, a batch at a time, as `nnspec.runtime.Predictor.over` does.

import { BATCH, InputError, batchAxis, castTo, fromHalf, product, range, take } from "./tensors.mjs";

const BATCH_SIZE = 64;

/** A loaded model. `ort` is ONNX Runtime's module, `page` what the file says of itself. */
export class Model {
  constructor(ort, session, page) {
    Object.assign(this, { ort, session, page, carried: null });
    this.states = page.states;
    const renewed = Object.values(page.states);
    this.outputs = session.outputNames.filter((name) => !renewed.includes(name));
  }

  /** The outputs of all samples; `keepsState`: whether the states go on from the last call. */
  async predict(samples, keepsState = false, tell = () => {}) {
    const hasStates = Object.keys(this.states).length > 0;
    if (!keepsState) this.carried = null;
    const isOpen = this.isOpen();
    const size = hasStates ? this.page.state_batch || 1 : this.page.batch || (isOpen ? BATCH_SIZE : samples.count);
    const parts = [];
    for (let start = 0; start < samples.count; start += size) {
      const stop = Math.min(samples.count, start + size);
      const feeds = this.checked(await samples.take(start, stop));
      const wanted = hasStates || this.page.batch ? size : null;
      parts.push(await this.run(feeds, stop - start, wanted, hasStates));
      tell(stop, samples.count);
    }
    return this.joined(parts);
  }

  isOpen() {
    const ports = [...Object.values(this.page.inputs), ...Object.values(this.page.outputs)];
    return ports.every((port) => batchAxis(port) !== null && !Number.isInteger(port.axes[batchAxis(port)][1]));
  }

  checked(arrays) {
    const symbols = {};
    const found = {};
    for (const [name, port] of Object.entries(this.page.inputs)) {
      if (name in this.states) continue;
      if (!arrays[name]) throw new InputError(`input \`${name}\` is missing`);
      found[name] = castTo(port, name, arrays[name]);
      port.axes.forEach(([axis, size], i) => {
        const key = axis === BATCH ? BATCH : size;
        if (typeof key !== "string") return;
        const [known, first] = (symbols[key] ??= [found[name].dims[i], name]);
        if (known !== found[name].dims[i]) {
          throw new InputError(`axis \`${axis}\` of input \`${name}\` has size ${found[name].dims[i]}, but input \`${first}\` has ${known}`);
        }
      });
    }
    return found;
  }

  /** A batch, filled up with its last sample to `wanted` of them, which is left out of the result. */
  async run(feeds, count, wanted, hasStates) {
    const tensors = {};
    for (const [name, array] of Object.entries(feeds)) {
      const axis = batchAxis(this.page.inputs[name]);
      const isFull = wanted === null || axis === null || count === wanted;
      const whole = isFull ? array : castTo(this.page.inputs[name], name, this.numbers(take(array, axis, range(wanted).map((i) => Math.min(i, count - 1))), array.type));
      tensors[name] = new this.ort.Tensor(array.type, whole.data, whole.dims);
    }
    const batch = wanted ?? count;
    for (const name of Object.keys(this.states)) tensors[name] = this.carried?.[name] ?? this.zeros(name, batch);
    const made = await this.session.run(tensors);
    if (hasStates) this.carried = Object.fromEntries(Object.entries(this.states).map(([name, renewed]) => [name, made[renewed]]));
    const found = {};
    for (const name of this.outputs) {
      const array = { dims: [...made[name].dims], data: plain(made[name]) };
      const axis = this.axisOf(name);
      found[name] = wanted === null || wanted === count ? array : take(array, axis, range(count));
    }
    return found;
  }

  numbers(array, type) {
    return type === "float16" ? { ...array, data: array.data.map(fromHalf) } : array;
  }

  axisOf(output) {
    return this.page.outputs[output] ? batchAxis(this.page.outputs[output]) ?? 0 : 0;
  }

  zeros(name, batch) {
    const port = this.page.inputs[name];
    const dims = port.axes.map(([axis, size]) => (axis === BATCH ? batch : size));
    if (!dims.every(Number.isInteger)) throw new InputError(`state \`${name}\` has an axis of unknown size`);
    const { type, data } = castTo({ ...port, gaps: [] }, name, { dims, data: new Array(product(dims)).fill(0) });
    return new this.ort.Tensor(type, data, dims);
  }

  joined(parts) {
    if (parts.length === 1) return parts[0];
    const found = {};
    for (const name of this.outputs) {
      const axis = this.axisOf(name);
      const arrays = parts.map((part) => part[name]);
      const outer = product(arrays[0].dims.slice(0, axis));
      const data = [];
      for (let i = 0; i < outer; i++) {
        for (const array of arrays) {
          const size = array.data.length / outer;
          for (let k = 0; k < size; k++) data.push(array.data[i * size + k]);
        }
      }
      const dims = [...arrays[0].dims];
      dims[axis] = arrays.reduce((sum, array) => sum + array.dims[axis], 0);
      found[name] = { dims, data };
    }
    return found;
  }
}

function plain(tensor) {
  if (tensor.type === "float16") return Array.from(new Uint16Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length), fromHalf);
  if (tensor.type === "bool") return Array.from(tensor.data, Boolean);
  if (tensor.type === "int64" || tensor.type === "uint64") return Array.from(tensor.data, (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
  return Array.from(tensor.data);
}
