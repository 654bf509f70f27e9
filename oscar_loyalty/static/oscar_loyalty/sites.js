/* A form says for which programme it was shown: another window may have changed over since. */
(function () {
    "use strict";

    var switcher = document.querySelector("[data-loyalty-programme]");
    if (!switcher) {
        return;
    }
    document.addEventListener("submit", function (event) {
        var form = event.target;
        if (form === switcher || form.method.toLowerCase() !== "post" || form.elements["loyalty-programme"]) {
            return;
        }
        var field = document.createElement("input");
        field.type = "hidden";
        field.name = "loyalty-programme";
        field.value = switcher.getAttribute("data-loyalty-programme");
        form.appendChild(field);
    });
}());
