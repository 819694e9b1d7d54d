// Reads a JSON list of diagrams from stdin and writes a JSON list of what Mermaid's own parser says of each:
// null where it takes it, with the nodes and edges it found, else its error.
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;

const { default: mermaid } = await import("mermaid");

let text = "";
for await (const part of process.stdin) text += part;
const answers = [];
for (const diagram of JSON.parse(text)) {
  try {
    await mermaid.parse(diagram);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(diagram);
    answers.push({
      error: null,
      nodes: Object.fromEntries([...db.getVertices()].map(([id, vertex]) => [id, vertex.text])),
      edges: db.getEdges().map((edge) => [edge.start, edge.end, edge.text]),
      boxes: db.getSubGraphs().map((box) => [box.title, box.nodes]),
    });
  } catch (error) {
    answers.push({ error: String(error?.message ?? error) });
  }
}
process.stdout.write(JSON.stringify(answers));
