// The token: asked for once, kept as a cookie.

import { onUnauthorized, spokenError } from "./api.js";
import { $ } from "./elements.js";
import { text } from "./strings.js";
import { showProblem } from "./words.js";

export function startLogin(stop, then) {
  $("login-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const headers = { authorization: `Bearer ${$("token").value}` };
    const response = await fetch("v1/session", { method: "POST", headers }).catch(() => null);
    $("login-problem").textContent = response?.status === 401 ? text("tokenWrong")
      : spokenError({ code: response ? "too_many_requests" : "unreachable" });
    $("login-problem").hidden = Boolean(response?.ok);
    if (!response?.ok) return;
    $("token").value = "";
    $("sign-in").hidden = true;
    $("login").close();
    showProblem("");
    then();
  });
  // Escape closes it, and leaves a way back.
  $("login").addEventListener("cancel", () => {
    $("sign-in").hidden = false;
    showProblem(spokenError({ code: "unauthorized" }));
    setTimeout(() => $("sign-in").focus());
  });
  $("sign-in").addEventListener("click", askForToken);
  onUnauthorized(() => {
    stop();
    askForToken();
  });
}

export function askForToken() {
  if (!$("login").open) $("login").showModal();
}
