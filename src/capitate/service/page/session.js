// Signing in where the service asks for a token; the session is a cookie that scripts cannot read.

import { ask, useCsrf, useSignIn } from "./api.js";
import { byId, make, replace, shown } from "./dom.js";
import { set } from "./state.js";
import { words } from "./words.js";

/** Make sure that there is a session where one is needed; resolves when the page may ask the service. */
export async function begin() {
  byId("logout").addEventListener("click", end);
  try {
    begun(await ask("/v1/session"));
  } catch (error) {
    if (error.status !== 401 && error.status !== 403) throw error;
    await login();
  }
  useSignIn(login);
}

function begun(session) {
  useCsrf(session.csrf);
  set({ role: session.role });
  shown(byId("logout"), session.tokens);
}

let asking = null;

/** Ask for the token until the service knows it; several that need it wait for the same answer. */
function login() {
  asking ??= asked().finally(() => (asking = null));
  return asking;
}

function asked() {
  const dialog = byId("login");
  const form = byId("login-form");
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      const token = byId("token").value.trim();
      try {
        begun(await ask("/v1/session", { method: "POST", body: { token } }));
        byId("token").value = "";
        replace(byId("login-error"));
        dialog.close();
        resolve();
      } catch (error) {
        const text = error.status === 401 ? words("login_wrong") : `${error.title} ${error.detail}`;
        replace(byId("login-error"), make("p", { class: "error", text }));
        byId("token").select();
      }
    };
  });
}

async function end() {
  await ask("/v1/session", { method: "DELETE" });
  location.hash = "";
  location.reload();
}
