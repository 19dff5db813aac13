// Requests to the server, and its errors in the page's language.

import { text } from "./strings.js";

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
    const known = text(`errors.${this.code}`);
    return known || text("failed").replace("{message}", this.message);
  }
}

async function answered(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw new Problem("unreachable", String(error));
  }
  if (response.ok) return response;
  const { error = {} } = await response.json().catch(() => ({}));
  if (response.status === 401) unauthorized();
  throw new Problem(error.code || "error", error.message || response.statusText);
}

export async function request(path, options) {
  return (await answered(path, options)).json();
}

export async function picture(path) {
  return (await answered(path)).blob();
}
