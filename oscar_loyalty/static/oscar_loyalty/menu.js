// A menu opens and closes by itself; with a script it also closes by Escape, by a click beside it, and when it is left.
(function () {
    "use strict";
    document.querySelectorAll("details[data-loyalty-menu]").forEach(function (menu) {
        menu.addEventListener("keydown", function (event) {
            if (event.key !== "Escape" || !menu.open) return;
            menu.open = false;
            menu.querySelector("summary").focus();
        });
        menu.addEventListener("focusout", function (event) {
            if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
        });
        document.addEventListener("click", function (event) {
            if (!menu.contains(event.target)) menu.open = false;
        });
    });
})();
