// NumPy's files: .npy, and .npz archives of them.

import { InputError, fromHalf, product, range, transpose } from "./tensors.mjs";

/** Bytes after decompression; kind: gzip, deflate or deflate-raw. */
export async function unpacked(bytes, kind) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(kind));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An array of an .npy file. */
export function readNpy(bytes, what) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNpy = bytes.length > 10 && bytes[0] === 0x93 && new TextDecoder("latin1").decode(bytes.subarray(1, 6)) === "NUMPY";
  if (!isNpy) throw new InputError(`${what} is no .npy file`);
  const [length, start] = bytes[6] === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const kind = /'descr': *'([^']*)'/.exec(header)?.[1];
  const dims = /'shape': *\(([^)]*)\)/.exec(header)?.[1].split(",").map((part) => part.trim()).filter(Boolean).map(Number);
  if (!kind || !dims) throw new InputError(`${what} has values other than numbers and texts`);
  const count = product(dims);
  const data = values(view, start + length, kind, count, what);
  if (!/'fortran_order': *True/.test(header)) return { dims, data };
  return transpose({ dims: [...dims].reverse(), data }, range(dims.length).reverse());
}

function values(view, start, kind, count, what) {
  const isLittle = kind[0] !== ">";
  const width = Number(kind.slice(2));
  const read = {
    f8: (at) => view.getFloat64(at, isLittle), f4: (at) => view.getFloat32(at, isLittle), f2: (at) => fromHalf(view.getUint16(at, isLittle)),
    i8: (at) => view.getBigInt64(at, isLittle), i4: (at) => view.getInt32(at, isLittle), i2: (at) => view.getInt16(at, isLittle),
    i1: (at) => view.getInt8(at), u8: (at) => view.getBigUint64(at, isLittle), u4: (at) => view.getUint32(at, isLittle),
    u2: (at) => view.getUint16(at, isLittle), u1: (at) => view.getUint8(at), b1: (at) => view.getUint8(at),
  }[kind.slice(1)];
  const isText = kind[1] === "U" || kind[1] === "S";
  if (!read && !isText) throw new InputError(`${what} has values of type ${kind}`);
  const bytes = kind[1] === "U" ? 4 * width : width;
  if (start + count * bytes > view.byteLength) throw new InputError(`${what} is truncated`);
  if (read) return range(count).map((i) => read(start + i * bytes));
  return range(count).map((i) => {
    const signs = range(width).map((k) => (kind[1] === "U" ? view.getUint32(start + i * bytes + 4 * k, isLittle) : view.getUint8(start + i * bytes + k)));
    return String.fromCodePoint(...signs.slice(0, 1 + signs.findLastIndex(Boolean)));
  });
}

/** The members of a zip archive, by name: a function that unpacks each. */
export function zipMembers(bytes, what) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new InputError(`${what} is no whole .npz file`);
  const members = new Map();
  let at = view.getUint32(end + 16, true);
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    const [method, size] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true)];
    const [nameLength, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const body = bytes.subarray(start, start + size);
    members.set(name, async () => (method === 0 ? body : unpacked(body, "deflate-raw")));
    at += 46 + nameLength + extra + comment;
  }
  return members;
}
