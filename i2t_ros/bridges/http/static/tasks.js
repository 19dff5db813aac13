// Switches for what a picture is asked about.

import { $, element } from "./elements.js";
import { text } from "./strings.js";

let known = [];
let chosen = null; // null: as the robot's own settings are
let usual = []; // what it looks for by itself

export function startTasks(names, changed) {
  known = names;
  $("tasks").replaceChildren(...known.map((name) => {
    const button = element("button", "chip");
    button.type = "button";
    button.dataset.task = name;
    button.dir = "auto"; // a task of another package has its own name
    button.addEventListener("click", () => {
      const on = chosen ?? usual;
      const wanted = known.filter((task) => (task === name) !== on.includes(task));
      chosen = wanted.length ? wanted : null;
      showTasks();
      changed();
    });
    return button;
  }));
  showTasks();
}

// The robot answered a request that named no tasks.
export function learnTasks(result) {
  if (chosen) return;
  usual = [...result.tasks, ...Object.keys(result.failures || {})];
  showTasks();
}

export function showTasks() {
  for (const button of $("tasks").children) {
    button.textContent = taskName(button.dataset.task);
    button.setAttribute("aria-pressed", String((chosen ?? usual).includes(button.dataset.task)));
  }
}

export const chosenTasks = () => (chosen ?? []).join(",");

export function taskName(task) {
  const names = {
    detect: text("objects"), segment: text("outlines"), pose: text("poses"), faces: text("faces"),
    text: text("texts"), classify: text("classes"), caption: text("caption"),
  };
  return names[task] ?? task;
}
