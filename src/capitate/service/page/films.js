// The pixels of films, fetched once; the last few are kept.

import { assessments, Problem } from "./api.js";
import { words } from "./words.js";

const KEPT = 3;
const films = new Map();

/** Whether a film was found to show dark bone: the service turns its pixels round once that is known. */
export function negated(record) {
  return Boolean(record.assessment?.quality.findings.some((one) => one.code === "negated"));
}

/** Fetch a film: `{ pixels: Uint16Array, width, height }`, bone bright. */
export async function film(record, signal) {
  const key = `${record.film_sha256} ${negated(record)}`;
  const known = films.get(key);
  if (known) return known;
  const response = await assessments.pixels(record.id, signal);
  const [width, height] = ["X-Film-Width", "X-Film-Height"].map((name) => Number(response.headers.get(name)));
  const bytes = await response.arrayBuffer();
  if (!(width > 0 && height > 0 && bytes.byteLength === 2 * width * height)) {
    throw new Problem({ title: words("film_unreadable"), detail: words("no_problem_document", { status: response.status }) });
  }
  const found = { pixels: new Uint16Array(bytes), width, height, negated: negated(record) };
  films.set(key, found);
  if (films.size > KEPT) films.delete(films.keys().next().value);
  return found;
}
