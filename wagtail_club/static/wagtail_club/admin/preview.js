// Wagtail forgets a preview mode in two ways: one that is chosen while another is still loading, and
// any once a new page is saved for the first time, when the panel is made anew. The list, or the page
// below it, is then another visitor's than the editor has chosen. Who sees what is what a club's
// editor looks for here, so the choice is made again once the panel is ready for it.
(() => {
  const MODE = "[data-w-preview-target=mode]";
  let wanted = null;

  const shownMode = (panel) => {
    const frame = panel.querySelector("[data-w-preview-target=iframe]");
    return frame && frame.src ? new URL(frame.src).searchParams.get("mode") : null;
  };

  document.addEventListener("change", ({ target }) => {
    if (target.matches(MODE)) wanted = target.value;
  });

  document.addEventListener("w-preview:updated", ({ target }) => {
    const chosen = target.querySelector(MODE);
    const shown = shownMode(target);
    if (!chosen || shown === null) return;
    if (wanted !== null && [...chosen.options].some(({ value }) => value === wanted)) chosen.value = wanted;
    if (shown !== chosen.value) {
      // Once the panel has done with the update that ends here.
      setTimeout(() => chosen.dispatchEvent(new Event("change", { bubbles: true })));
    }
  });
})();
