// All that the page asks of the service, and its errors as one kind.

import { words } from "./words.js";

const SESSION = "/v1/session";

let csrf = "";
let signIn = null;

/** Sign in by `act` whenever the service says that nobody is: sessions end, and work goes on where it was. */
export function useSignIn(act) {
  signIn = act;
}

/** Remember the token that goes with every request that changes something. */
export function useCsrf(token) {
  csrf = token ?? "";
}

/** A problem document (RFC 9457), or what came instead of one; `record` is the newer state after a conflict. */
export class Problem extends Error {
  constructor({ status = 0, code = "unknown", title = "", detail = "", retryAfter = null, ...rest }) {
    super(detail || title || code);
    Object.assign(this, { status, code, title, detail, retryAfter, rest });
  }
}

/** Ask for JSON. `body` is an object; `revision` becomes If-Match. */
export async function ask(path, { method = "GET", body, revision, headers = {}, signal } = {}) {
  const response = await request(path, { method, body, revision, headers, signal });
  return response.status === 204 ? null : response.json();
}

/** Ask for bytes: the response whole, for its headers. */
export async function request(path, { method = "GET", body, revision, headers = {}, signal } = {}) {
  const sent = { ...headers, ...guard(method) };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (revision !== undefined) sent["If-Match"] = `"${revision}"`;
  let response;
  try {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    response = await fetch(path, { method, headers: sent, body: payload, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (response.status === 401 && signIn && path !== SESSION) {
    await signIn();
    return request(path, { method, body, revision, headers, signal });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

function guard(method) {
  return method === "GET" || !csrf ? {} : { "X-CSRF-Token": csrf };
}

function unreachable() {
  return new Problem({ code: "unreachable", title: words("unreachable"), detail: words("unreachable_detail") });
}

async function problemOf(response) {
  const text = await response.text();
  return parsed(response.status, text, response.headers.get("Retry-After"));
}

function parsed(status, text, retryAfter) {
  const about = { status, retryAfter: retryAfter === null ? null : Number(retryAfter) || 1 };
  try {
    const document = JSON.parse(text);
    return new Problem({ ...document, ...about, detail: sentence(document.detail) });
  } catch {
    return new Problem({ ...about, title: `HTTP ${status}`, detail: words("no_problem_document", { status }) });
  }
}

function sentence(detail) {
  return typeof detail === "string" ? detail : detail === undefined ? "" : JSON.stringify(detail);
}

/** Send a form with its progress, as a share of 1; `cancel` of the answer stops it. */
export function send(path, form, { headers = {}, progress = () => {} } = {}) {
  const sender = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    sender.open("POST", path);
    for (const [name, value] of Object.entries({ ...headers, ...guard("POST") })) sender.setRequestHeader(name, value);
    sender.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : null);
    sender.onerror = () => reject(unreachable());
    sender.onabort = () => reject(new Problem({ code: "cancelled", title: words("status_cancelled") }));
    sender.onload = () => {
      const { status, responseText } = sender;
      if (status >= 200 && status < 300) resolve(JSON.parse(responseText));
      else reject(parsed(status, responseText, sender.getResponseHeader("Retry-After")));
    };
    sender.send(form);
  });
  return { answer, cancel: () => sender.abort() };
}

/** A key that makes a repeated request the same request; crypto.randomUUID is missing outside https and loopback. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const of = (id, rest = "") => `/v1/assessments/${encodeURIComponent(id)}${rest}`;
const query = (values) => {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return new URLSearchParams(kept).toString();
};

/** Addresses that the page links to. */
export const at = {
  preview: (id, size) => of(id, `/film/preview?size=${size}`),
  film: (id) => of(id, "/film"),
  crop: (id, joint, size) => of(id, `/joints/${joint}/crop?size=${size}`),
  stage: (joint, grade, size) => `/v1/joints/${joint}/stages/${grade}?size=${size}`,
  report: (id, format, lang) => of(id, `/report?${query({ format, lang })}`),
  map: (id, name) => of(id, `/maps/${encodeURIComponent(name)}`),
};

/** The joints that have grades: `{ name, last_grade, stages }`. */
export const joints = () => ask("/v1/joints");

export const assessments = {
  list: (search) => ask(`/v1/assessments?${query(search)}`),
  get: (id, signal) => ask(of(id), { signal }),
  cancel: (id) => ask(of(id, "/cancel"), { method: "POST" }),
  remove: (id) => ask(of(id), { method: "DELETE" }),
  history: (id) => ask(of(id, "/history")),
  grades: (id, revision, changes) => ask(of(id, "/grades"), { method: "PATCH", revision, body: changes }),
  undo: (id, revision, by) => ask(of(id, "/undo"), { method: "POST", revision, body: { by } }),
  reassess: (id, body) =>
    ask(of(id, "/reassess"), { method: "POST", body, headers: { Prefer: "respond-async", "Idempotency-Key": newKey() } }),
  pixels: (id, signal) => request(of(id, "/film/pixels"), { signal }),
  maps: (id) => ask(of(id, "/maps")),
  reportText: async (id, lang) => (await request(at.report(id, "text", lang))).text(),
};
