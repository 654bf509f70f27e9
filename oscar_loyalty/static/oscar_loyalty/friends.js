// A link or a code can be copied by hand; where the browser allows it, a button does.
(function () {
    "use strict";
    document.querySelectorAll("[data-copy]").forEach(function (button) {
        var input = document.getElementById(button.getAttribute("data-copy"));
        if (!input || !navigator.clipboard) return;
        button.hidden = false;
        button.addEventListener("click", function () {
            navigator.clipboard.writeText(input.value || input.textContent).then(function () {
                button.textContent = button.getAttribute("data-copied");
            }, function () { if (input.select) input.select(); });
        });
    });
})();
