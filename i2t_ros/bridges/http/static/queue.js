// A request's place in the queue, while it waits.

import { request } from "./api.js";
import { $ } from "./elements.js";
import { text } from "./strings.js";

const FIRST_LOOK = 600; // ms: most answers are there before
const INTERVAL = 1000; // ms

// Shows the place of a request until the function that it returns is called.
export function showPlace(name) {
  let timer = 0;
  const say = (ahead) => {
    $("place").textContent = ahead ? text("place", { place: ahead + 1 }) : text("working");
  };
  const look = async () => {
    try {
      const { ahead } = await request(`v1/queue?request=${name}`);
      if (timer) say(ahead);
    } catch {
      // The request itself says what is wrong.
    }
    if (timer) timer = setTimeout(look, INTERVAL);
  };
  say(0);
  timer = setTimeout(look, FIRST_LOOK);
  return () => {
    clearTimeout(timer);
    timer = 0;
  };
}

// Not crypto.randomUUID(): only pages of a secure origin have it.
export function newName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16)).join("-");
}
