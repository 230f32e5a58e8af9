// Arrays of a .npz file: a zip of .npy files, each stored or deflated.

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const DEFLATED = 8;
const KINDS = { "<f4": Float32Array, "<f8": Float64Array, "|u1": Uint8Array, "<i8": BigInt64Array };

/** Read a .npz: an object of `{ shape, values }` by name; a text is a string. */
export async function arrays(buffer) {
  const view = new DataView(buffer);
  const found = {};
  for (const { name, start, size, method } of entries(view)) {
    const packed = new Uint8Array(buffer, start, size);
    found[name.replace(/\.npy$/, "")] = array(method === DEFLATED ? await inflated(packed) : packed.slice().buffer);
  }
  return found;
}

function* entries(view) {
  let end = view.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw new Error("this is no .npz file");
  let at = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count -= 1) {
    if (view.getUint32(at, true) !== ENTRY) throw new Error("the .npz file's directory is damaged");
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    yield {
      name: new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, name)),
      method: view.getUint16(at + 10, true), size: view.getUint32(at + 20, true), start,
    };
    at += 46 + name + extra + comment;
  }
}

async function inflated(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}

function array(buffer) {
  const view = new DataView(buffer);
  const wide = view.getUint8(6) > 1;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + length;
  const header = new TextDecoder().decode(new Uint8Array(buffer, wide ? 12 : 10, length));
  const kind = /'descr':\s*'([^']+)'/.exec(header)[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)[1].split(",").filter((part) => part.trim()).map(Number);
  if (kind.startsWith("<U")) return text(view, start);
  const Kind = KINDS[kind];
  if (!Kind) throw new Error(`an array of the kind ${kind} cannot be read`);
  return { shape, values: new Kind(buffer.slice(start)) };
}

function text(view, start) {
  const codes = [];
  for (let at = start; at < view.byteLength; at += 4) codes.push(view.getUint32(at, true));
  return String.fromCodePoint(...codes.filter(Boolean));
}
