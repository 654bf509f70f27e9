// A second click on "Place order" does nothing while the first one is on its way. Without this script it does no harm
// either: the server shows the same order.
(function () {
    "use strict";
    var form = document.getElementById("place_order_form");
    if (!form) return;
    var sent = false;
    form.addEventListener("submit", function (event) {
        if (sent) {
            event.preventDefault();
            return;
        }
        sent = true;
        form.setAttribute("aria-busy", "true");
        var button = form.querySelector("[type=submit]");
        // Not disabled at once: some browsers would then not send the form.
        if (button) window.setTimeout(function () { button.disabled = true; }, 0);
    });
    // The page comes back from the browser's memory as it was left.
    window.addEventListener("pageshow", function (event) {
        if (!event.persisted) return;
        sent = false;
        form.removeAttribute("aria-busy");
        var button = form.querySelector("[type=submit]");
        if (button) button.disabled = false;
    });
})();
