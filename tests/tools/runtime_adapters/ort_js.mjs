// onnxruntime-node or onnxruntime-web (WebAssembly), in Node: node ort_js.mjs PACKAGE CASE...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [name, ...folders] = process.argv.slice(2);
const require = createRequire(`${process.cwd()}/`);
const ort = await import(pathToFileURL(require.resolve(name)).href);
const arrays = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array };

function decode(body) {
  if (body.dtype === "string") return new ort.Tensor("string", body.words, body.shape);
  const bytes = Uint8Array.from(Buffer.from(body.data, "base64"));
  return new ort.Tensor(body.dtype, new arrays[body.dtype](bytes.buffer), body.shape);
}

function encode(tensor) {
  const body = { dtype: tensor.type, shape: tensor.dims };
  if (tensor.type === "string") return { ...body, words: [...tensor.data] };
  const { buffer, byteOffset, byteLength } = tensor.data;
  return { ...body, data: Buffer.from(buffer, byteOffset, byteLength).toString("base64") };
}

for (const folder of folders) {
  const line = { case: folder };
  try {
    const { inputs, outputs } = JSON.parse(readFileSync(`${folder}/case.json`, "utf8"));
    const session = await ort.InferenceSession.create(readFileSync(`${folder}/model.onnx`));
    const feed = Object.fromEntries(Object.entries(inputs).map(([key, body]) => [key, decode(body)]));
    const made = await session.run(feed, Object.keys(outputs));
    line.outputs = Object.fromEntries(Object.entries(made).map(([key, tensor]) => [key, encode(tensor)]));
  } catch (error) {
    line.error = String(error.message ?? error).slice(0, 2000);
  }
  console.log("RESULT " + JSON.stringify(line));
}
process.exit(0);
