// Wagtail forgets a preview mode that is chosen while another is still loading: the list says
// "Bronze", the page below is a visitor's. Who sees what is what a club's editor looks for here,
// so the choice is made again once the panel is ready for it.
(() => {
  const shownMode = (panel) => {
    const frame = panel.querySelector("[data-w-preview-target=iframe]");
    return frame && frame.src ? new URL(frame.src).searchParams.get("mode") : null;
  };

  document.addEventListener("w-preview:updated", ({ target }) => {
    const chosen = target.querySelector("[data-w-preview-target=mode]");
    const shown = shownMode(target);
    if (chosen && shown !== null && shown !== chosen.value) {
      // Once the panel has done with the update that ends here.
      setTimeout(() => chosen.dispatchEvent(new Event("change", { bubbles: true })));
    }
  });
})();
