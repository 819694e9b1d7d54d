// Clips as `nnspec.runtime.media.audio` and `sound` decode them. FLAC, Ogg and other rates are left to the browser.

import { BATCH, InputError, range } from "./tensors.mjs";

const text = (bytes, at, length = 4) => new TextDecoder("latin1").decode(bytes.subarray(at, at + length));

/** A clip: {rate, samples, channels: one array a channel}. */
export async function decodeClip(blob, what) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const kind = text(bytes, 0);
  if (kind === "RIFF") return decodeWav(bytes, what);
  const view = new DataView(bytes.buffer);
  let rate = null;
  if (kind === "fLaC") rate = view.getUint32(18) >>> 12;
  if (kind === "OggS" && text(bytes, 28 + bytes[26], 6) === "vorbis") rate = view.getUint32(27 + bytes[26] + 12, true);
  if (!rate) throw new InputError(`${what} is not a WAV, FLAC or Ogg Vorbis file`);
  try {
    const found = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.buffer.slice(0));
    return { rate, samples: found.length, channels: range(found.numberOfChannels).map((i) => found.getChannelData(i)) };
  } catch (error) {
    throw new InputError(`${what} cannot be decoded (${error.message})`);
  }
}

function decodeWav(bytes, what) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text(bytes, 8) !== "WAVE") throw new InputError(`${what} is not a RIFF WAVE file`);
  let form = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    if (text(bytes, at) === "fmt ") {
      form = { kind: view.getUint16(at + 8, true), channels: view.getUint16(at + 10, true), rate: view.getUint32(at + 12, true), width: (view.getUint16(at + 22, true) + 7) >> 3 };
      if (form.kind === 0xfffe) form.kind = view.getUint16(at + 32, true);
    }
    if (text(bytes, at) === "data") {
      if (!form) throw new InputError(`${what}: its samples come before its format`);
      if (at + 8 + length > bytes.length) throw new InputError(`${what} has fewer samples than its header says`);
      return samplesOf(view, at + 8, length, form, what);
    }
    at += 8 + length + (length % 2);
  }
  throw new InputError(`${what} is truncated within its header`);
}

function samplesOf(view, start, length, { kind, channels, rate, width }, what) {
  const read = {
    "1,1": (at) => (view.getUint8(at) - 128) / 128,
    "1,2": (at) => view.getInt16(at, true) / 2 ** 15,
    "1,3": (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23,
    "1,4": (at) => view.getInt32(at, true) / 2 ** 31,
    "3,4": (at) => view.getFloat32(at, true),
    "3,8": (at) => view.getFloat64(at, true),
    "6,1": (at) => aLaw(view.getUint8(at)),
    "7,1": (at) => muLaw(view.getUint8(at)),
  }[[kind, width]];
  if (!read) throw new InputError(`${what}: its samples have format ${kind} with ${8 * width} bits, which is not supported`);
  const samples = Math.floor(length / (width * channels));
  if (!samples || !rate) throw new InputError(`${what} has no samples`);
  const found = range(channels).map((channel) => Float32Array.from({ length: samples }, (_, i) => read(start + (i * channels + channel) * width)));
  return { rate, samples, channels: found };
}

function muLaw(byte) {
  const code = ~byte & 255;
  const size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return (code & 128 ? -size : size) / 2 ** 15;
}

function aLaw(byte) {
  const code = byte ^ 0x55;
  const [segment, step] = [(code >> 4) & 7, (code & 15) << 4];
  const size = segment === 0 ? step + 8 : (step + 0x108) << Math.max(segment - 1, 0);
  return (code & 128 ? size : -size) / 2 ** 15;
}

/** A clip in the form that an input takes: axes those of the input without batch. */
export async function fittedClip(clip, port, what) {
  const said = port.files;
  let channels = clip.channels;
  if (said.channels > 1 && channels.length !== said.channels) {
    throw new InputError(`${what} has ${channels.length} channels, but the input takes ${said.channels}`);
  }
  if (said.channels === 1 && channels.length > 1) {
    channels = [Float32Array.from({ length: clip.samples }, (_, i) => Math.fround(channels.reduce((sum, channel) => Math.fround(sum + channel[i]), 0) / channels.length))];
  }
  const length = said.rate === null || said.rate === clip.rate ? clip.samples : Math.ceil((clip.samples * said.rate) / clip.rate);
  if (said.size !== null && said.fit === "pad" && length > said.size) {
    throw new InputError(`${what} has ${length} samples, but the input takes ${said.size}`);
  }
  if (length !== clip.samples || (said.rate !== null && said.rate !== clip.rate)) channels = await atRate(channels, clip.rate, said.rate, length);
  const size = said.size === null ? Math.max(length, said.least) : said.size;
  const first = length > size ? Math.floor((length - size) / 2) : 0;
  channels = channels.map((channel) => {
    const made = new Float32Array(size).fill(said.fill);
    made.set(channel.subarray(first, first + Math.min(size, length)));
    return made;
  });
  const roles = port.axes.filter(([axis]) => axis !== BATCH).map(([axis]) => said.axes[axis]);
  const dims = roles.map((role) => ({ sample: size, channel: channels.length })[role] ?? 1);
  const isSampleFirst = roles.indexOf("sample") < roles.indexOf("channel");
  const data = channels.length === 1 ? Array.from(channels[0])
    : isSampleFirst ? range(size).flatMap((i) => channels.map((channel) => channel[i])) : channels.flatMap((channel) => Array.from(channel));
  return { dims, data };
}

async function atRate(channels, from, to, length) {
  const context = new OfflineAudioContext(channels.length, length, to);
  const buffer = context.createBuffer(channels.length, channels[0].length, from);
  channels.forEach((channel, i) => buffer.copyToChannel(channel, i));
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  const made = await context.startRendering();
  return range(channels.length).map((i) => made.getChannelData(i));
}

/** Frames of a mono recording, as long as the input's only axis that is more than 1. */
export function framesOf(clip, name, port, what) {
  if (clip.channels.length !== 1) throw new InputError(`${what} has ${clip.channels.length} channels, but must be mono`);
  if (port.rate && clip.rate !== port.rate) throw new InputError(`${what} has a sampling rate of ${clip.rate} Hz, but the model takes ${port.rate}`);
  const axes = port.axes.filter(([axis, size]) => axis !== BATCH && size !== 1);
  if (axes.length !== 1) throw new InputError(`input \`${name}\` does not take audio frames`);
  const frame = Number.isInteger(axes[0][1]) ? axes[0][1] : clip.samples;
  const stride = port.stride || frame;
  const count = Math.floor((clip.samples - frame) / stride) + 1;
  if (clip.samples < frame || !frame) throw new InputError(`${what} has ${clip.samples} samples, but a frame needs ${frame}`);
  const isBatchLast = port.axes.filter(([axis, size]) => axis === BATCH || size !== 1).at(-1)[0] === BATCH;
  const [outer, inner] = isBatchLast ? [frame, count] : [count, frame];
  const data = range(outer).flatMap((i) => range(inner).map((k) => clip.channels[0][isBatchLast ? k * stride + i : i * stride + k]));
  return { dims: port.axes.map(([axis, size]) => (axis === BATCH ? count : size === 1 ? 1 : frame)), data };
}
