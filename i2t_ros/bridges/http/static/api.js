// Requests to the server, and its errors in the page's language. All URLs are relative: the page
// may be below a path of a proxy.

import { text } from "./strings.js";

// What a proxy before the server says without a code of ours.
const CODES = {
  401: "unauthorized", 413: "body_too_large", 429: "too_many_requests",
  502: "unreachable", 503: "unreachable", 504: "time_limit",
};

let unauthorized = () => {};

export function onUnauthorized(callback) {
  unauthorized = callback;
}

export class Problem extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  // In the reader's language where the code is known, else as the server says it.
  get spoken() {
    return spokenError({ code: this.code, message: this.message });
  }
}

const words = (code) => text(`errors.${code}`);

export function spokenError({ code, message }) {
  // Of how a language model can fail, a reader can do something about a few.
  const known = words(code) || (code?.startsWith("vlm_") && words("vlm_failed"));
  return known || text("failed", { message });
}

export function spoken(problem) {
  return problem.spoken ?? text("failed", { message: String(problem) });
}

async function problemOf(response) {
  const { error } = await response.json().catch(() => ({}));
  if (response.status === 401) unauthorized();
  if (error?.code) return new Problem(error.code, error.message);
  return new Problem(CODES[response.status] ?? "error", response.statusText || String(response.status));
}

async function answered(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("unreachable", String(error));
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

export async function request(path, options) {
  return (await answered(path, options)).json();
}

export async function picture(path) {
  return (await answered(path)).blob();
}

// The events of a reply, each { name, data }, as they come. Raises a Problem for one called `error`,
// and if the last of them does not come.
export async function* events(path, options) {
  const response = await answered(path, options);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read().catch((error) => {
        throw error.name === "AbortError" ? error : new Problem("unreachable", String(error));
      });
      if (done) throw new Problem("unreachable", "the reply has no end");
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const [, name, json] = part.match(/^event: (.*)\ndata: (.*)$/) ?? [];
        if (!name) continue; // a comment
        const data = JSON.parse(json);
        if (name === "error") throw new Problem(data.error.code, data.error.message);
        yield { name, data };
        if (name === "answer") return;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// Why a stream does not start; null if it would start now.
export async function refusal(path) {
  const stop = new AbortController();
  try {
    await answered(path, { signal: stop.signal });
    return null;
  } catch (problem) {
    return problem;
  } finally {
    stop.abort();
  }
}
