// Unpacks the model and the runtime that the page carries, and connects its form.

import { unpacked } from "./arrays.mjs";
import { samplesOfFiles } from "./files.mjs";
import { Form } from "./form.mjs";
import { Model } from "./predict.mjs";
import { showOutputs } from "./results.mjs";
import { BATCH, fromLists } from "./tensors.mjs";

/* global ort */

const byId = (id) => document.getElementById(id);

function carried(id) {
  const text = atob(byId(id).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  byId(id).remove();
  return unpacked(bytes, "gzip");
}

function tell(text, isWrong = false) {
  byId("status").textContent = text;
  byId("status").dataset.state = isWrong ? "wrong" : text ? "busy" : "ready";
}

/** The sample's arrays, axes those of the inputs without batch. */
function sampleOf(page) {
  if (!page.sample) return null;
  return Object.fromEntries(Object.entries(page.sample).map(([name, lists]) => {
    const array = fromLists(lists, name);
    const isText = page.inputs[name].type === "string";
    return [name, { dims: array.dims.length ? array.dims : page.inputs[name].axes.filter(([axis]) => axis !== BATCH).map(() => 1), data: array.data.map((value) => (value === null && !isText ? NaN : value)) }];
  }));
}

async function start() {
  tell("The model is being loaded …");
  const page = JSON.parse(byId("interface").textContent);
  page.sample = sampleOf(page);
  const [wasm, file] = await Promise.all([carried("runtime"), carried("model")]);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm });
  ort.env.logLevel = "fatal";
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"], logSeverityLevel: 4 });
  const model = new Model(ort, session, page);
  const form = new Form(byId("sample"), page);
  form.tell = (text) => tell(text, true);

  const answer = async (read, keepsState) => {
    tell("The model is running …");
    byId("result").replaceChildren();
    try {
      const samples = await read();
      const outputs = await model.predict(samples, keepsState, (done, all) => all > 1 && tell(`${done} of ${all} …`));
      showOutputs(byId("result"), outputs, page, samples);
      tell("");
    } catch (error) {
      tell(error.message, true);
    }
    byId("result").dataset.answers = Number(byId("result").dataset.answers || 0) + 1;
  };
  byId("sample").addEventListener("submit", (event) => {
    event.preventDefault();
    answer(() => form.samples(), Boolean(byId("carry")?.checked));
  });
  byId("files").addEventListener("submit", (event) => {
    event.preventDefault();
    const files = [...byId("file").files];
    if (files.length) answer(() => samplesOfFiles(files, page), false);
    else tell("Choose a file first.", true);
  });
  for (const button of document.querySelectorAll("button[type=submit]")) button.disabled = false;
  tell("");
}

start().catch((error) => tell(`The model cannot be loaded: ${error.message}`, true));
