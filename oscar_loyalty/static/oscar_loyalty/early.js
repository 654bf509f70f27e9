// Shows the field of what was chosen; without this script all are there.
(function () {
    "use strict";
    document.querySelectorAll("[data-early-form]").forEach(function (form) {
        function update() {
            var input = form.querySelector("input[name=target]:checked");
            ["product", "range", "offer"].forEach(function (name) {
                var field = form.querySelector("[data-field=" + name + "]");
                if (field) field.hidden = !input || input.value !== name;
            });
            ["others", "words"].forEach(function (name) {
                // Of an offer, others simply find nothing.
                form.querySelector("[data-field=" + name + "]").hidden = Boolean(input) && input.value === "offer";
            });
        }
        form.addEventListener("change", update);
        update();
    });
})();
