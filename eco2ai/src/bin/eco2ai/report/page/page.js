"use strict";
// Tips: the titles of the charts, next to the pointer.
const tip = document.body.appendChild(document.createElement("div"));
tip.id = "tip";
tip.hidden = true;
for (const title of document.querySelectorAll(".chart title")) {
  title.parentNode.tip = title.textContent;
  title.remove();
}
const showTip = (text, x, y) => {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8)) + "px";
  tip.style.top = (y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18) + "px";
};
document.addEventListener("pointermove", ({ target, clientX, clientY }) => {
  const bar = target.closest("#flame-graph span");
  showTip(bar ? bar.textContent : target.closest("g")?.tip, clientX, clientY);
});
document.addEventListener("pointerleave", () => showTip());
document.addEventListener("keydown", ({ key }) => key === "Escape" && showTip());

// The flame graph: the style sheet lays out all bars relative to the two numbers of `zoom`.
const graph = document.getElementById("flame-graph");
if (graph) {
  const bars = [...graph.children];
  const value = (bar, name) => Number(bar.style.getPropertyValue(name));
  const start = (bar) => value(bar, "--x");
  const end = (bar) => start(bar) + value(bar, "--w");
  const row = (bar) => value(bar, "--y");
  const rows = (at) => bars.filter((bar) => row(bar) === at);
  const middle = (bar) => (start(bar) + end(bar)) / 2;
  const above = (bar) => rows(row(bar) - 1).find((one) => start(one) <= middle(bar) && middle(bar) <= end(one));
  const below = (bar) => rows(row(bar) + 1).find((one) => start(bar) - 1e-5 <= start(one) && middle(one) <= end(bar));
  const beside = (bar, step) => {
    const row_ = rows(row(bar)).sort((a, b) => start(a) - start(b));
    return row_[row_.indexOf(bar) + step];
  };
  const zoom = (bar) => {
    graph.style.setProperty("--from", start(bar));
    graph.style.setProperty("--span", value(bar, "--w"));
    bars.forEach((one) => one.removeAttribute("aria-current"));
    if (bar !== bars[0]) bar.setAttribute("aria-current", "true");
  };
  const focus = (bar) => {
    if (!bar) return;
    bars.forEach((one) => (one.tabIndex = -1));
    bar.tabIndex = 0;
    const from = value(graph, "--from"), to = from + (value(graph, "--span") || 1);
    if (end(bar) <= from || start(bar) >= to) zoom(bars[0]);
    bar.focus();
  };
  graph.addEventListener("click", ({ target }) => {
    const bar = target.closest("span");
    if (bar) focus(bar), zoom(bar);
  });
  graph.addEventListener("focusin", ({ target }) => {
    document.getElementById("flame-text").textContent = target.textContent;
  });
  graph.addEventListener("keydown", (event) => {
    const bar = document.activeElement;
    const moves = {
      ArrowUp: () => focus(above(bar)),
      ArrowDown: () => focus(below(bar)),
      ArrowLeft: () => focus(beside(bar, -1)),
      ArrowRight: () => focus(beside(bar, 1)),
      Home: () => focus(bars[0]),
      Enter: () => zoom(bar),
      " ": () => zoom(bar),
      Escape: () => zoom(bars[0]),
    };
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]();
  });
}

// The table of runs: a button in each heading sorts, a field filters. Without this script, it is a
// plain table.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const lines = [...body.rows];
  const key = (line, column) => {
    const cell = line.cells[column];
    const text = cell.firstChild?.textContent ?? "";
    if (!cell.classList.contains("n")) return text.toLowerCase();
    const number = parseFloat(text.replace(/\s/g, "").replace("<", ""));
    return Number.isNaN(number) ? -1 : text.startsWith("<") ? number / 2 : number;
  };
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const figures = heading.classList.contains("n");
      const was = heading.getAttribute("aria-sort");
      const descending = was ? was === "ascending" : figures;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const keys = new Map(lines.map((line) => [line, key(line, column)]));
      lines.sort((a, b) => order(keys.get(a), keys.get(b)) * (descending ? -1 : 1));
      body.append(...lines);
    });
  });
  const form = document.createElement("div");
  form.className = "filter";
  form.innerHTML = '<label>Filter <input type="search" autocomplete="off"></label><output></output>';
  table.closest(".scroll").before(form);
  const [field, output] = [form.querySelector("input"), form.querySelector("output")];
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const line of lines) {
      const text = line.textContent.toLowerCase();
      line.hidden = !words.every((word) => text.includes(word));
    }
    const shown = lines.filter((line) => !line.hidden).length;
    output.textContent = field.value.trim() ? `${shown} of ${lines.length} runs` : "";
  });
}

// What is closed on the screen is open on paper.
const closed = document.querySelectorAll("details:not([open])");
addEventListener("beforeprint", () => closed.forEach((one) => (one.open = true)));
addEventListener("afterprint", () => closed.forEach((one) => (one.open = false)));
