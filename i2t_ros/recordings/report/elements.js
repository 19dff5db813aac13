// Short ways to the document. Text is only ever set as text.

const byId = (id) => document.getElementById(id);

// element("p", { class: "soft", lang: "de" }, "text", child, ...)
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "click") made.addEventListener("click", value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// A name from a file may be in any direction.
const nameOf = (value, attributes = {}) => element("bdi", attributes, value);

function button(key, click, attributes = {}) {
  return element("button", { type: "button", click, ...attributes }, text(key));
}

// Shows more, or fewer.
function moreButton(isAll, count, click) {
  return element("button", { type: "button", class: "quiet", "aria-expanded": String(isAll), click },
    isAll ? text("fewer") : text("more", { count }));
}

function copyButton(key, value) {
  const made = button(key, async () => {
    made.textContent = text(await copied(value()) ? "copied" : "notCopied");
    setTimeout(() => { made.textContent = text(key); }, 1500);
  });
  return made;
}

// A page of a file is no "secure context" in every browser, and has no clipboard then.
async function copied(value) {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    const field = element("textarea", { class: "hidden", readonly: true });
    field.value = value;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

function remembered(key, value) {
  try {
    if (value !== undefined) localStorage.setItem(`i2t.report.${key}`, value);
    return localStorage.getItem(`i2t.report.${key}`);
  } catch {
    return null; // the browser keeps nothing for files
  }
}
