// The drawing keeps its state in the address, which a page from a disk must not change.
history.replaceState = () => {};
// It fits itself to the width of its frame, which is 0 while a browser rearranges the page.
addEventListener("resize", (event) => {
  if (innerWidth === 0) event.stopImmediatePropagation();
});
init();
