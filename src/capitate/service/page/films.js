// The pixels of films, fetched once; the last few are kept.

import { assessments, Problem } from "./api.js";
import { words } from "./words.js";

const KEPT = 3;
const films = new Map();

/** Fetch a film: `{ pixels: Uint16Array, width, height }`, bone bright. */
export async function film(record, signal) {
  const known = films.get(record.film_sha256);
  if (known) return known;
  const response = await assessments.pixels(record.id, signal);
  const [width, height] = ["X-Film-Width", "X-Film-Height"].map((name) => Number(response.headers.get(name)));
  const bytes = await response.arrayBuffer();
  if (!(width > 0 && height > 0 && bytes.byteLength === 2 * width * height)) {
    throw new Problem({ title: words("film_unreadable"), detail: words("no_problem_document", { status: response.status }) });
  }
  const found = { pixels: new Uint16Array(bytes), width, height };
  films.set(record.film_sha256, found);
  if (films.size > KEPT) films.delete(films.keys().next().value);
  return found;
}
