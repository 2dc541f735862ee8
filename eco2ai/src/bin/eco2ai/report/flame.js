// Zooms to the selected bar; the style sheet lays out all bars relative to these two numbers.
const graph = document.getElementById("flame-graph");
graph.addEventListener("click", ({ target }) => {
  if (target === graph) return;
  graph.style.setProperty("--from", target.style.getPropertyValue("--x"));
  graph.style.setProperty("--span", target.style.getPropertyValue("--w"));
});
