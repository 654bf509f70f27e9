/* The owner's pages work without it; it saves a second click and hides what does not apply. */
(function () {
    "use strict";

    // A form is sent once. The name and value of the pressed button must go along, so it is disabled a moment later.
    document.addEventListener("submit", function (event) {
        var form = event.target;
        // After a download the page stays, and its buttons must go on working.
        if (!form.closest(".loyalty") || form.method.toLowerCase() !== "post" || form.hasAttribute("data-download")) {
            return;
        }
        window.setTimeout(function () {
            form.querySelectorAll("button[type=submit]").forEach(function (button) {
                button.disabled = true;
            });
        }, 0);
    });
    // Back from the next page, the buttons work again.
    window.addEventListener("pageshow", function (event) {
        if (event.persisted) {
            window.location.reload();
        }
    });

    document.querySelectorAll("[data-selection]").forEach(function (form) {
        var boxes = Array.prototype.slice.call(form.querySelectorAll("input[name=member]"));
        var all = form.querySelector("[data-select-all]");
        var buttons = form.querySelectorAll("[data-needs-selection]");
        function update() {
            var chosen = boxes.filter(function (box) { return box.checked; }).length;
            buttons.forEach(function (button) { button.disabled = chosen === 0; });
            if (all) {
                all.checked = chosen > 0 && chosen === boxes.length;
                all.indeterminate = chosen > 0 && chosen < boxes.length;
            }
        }
        if (all) {
            all.addEventListener("change", function () {
                boxes.forEach(function (box) { box.checked = all.checked; });
                update();
            });
        }
        boxes.forEach(function (box) { box.addEventListener("change", update); });
        update();
    });

    document.querySelectorAll("[data-batch-form]").forEach(function (form) {
        var shown = { months: "months", day: "last_day" };
        function update() {
            var chosen = form.querySelector("select[name=expiry]").value;
            Object.keys(shown).forEach(function (kind) {
                var field = form.querySelector("[data-field=" + shown[kind] + "]");
                if (field) {
                    field.hidden = kind !== chosen;
                }
            });
        }
        // The dashboard's script may put a list of its own over the select: it tells by jQuery's event only.
        if (window.jQuery) {
            window.jQuery(form).on("change", update);
        } else {
            form.addEventListener("change", update);
        }
        update();
    });

    document.querySelectorAll("[data-rule-form]").forEach(function (form) {
        var numbers = {
            unit: ["points"], amount: ["points", "per", "threshold"], order: ["points", "threshold"],
            visit: ["points", "threshold"], exclude: [], booster: ["times", "plus", "threshold", "announce"]
        };
        var objects = { product: "product", "class": "product_class", category: "category", range: "range" };
        function chosen(name) {
            var input = form.querySelector("input[name=" + name + "]:checked, select[name=" + name + "]");
            return input ? input.value : "";
        }
        function show(name, visible) {
            var field = form.querySelector("[data-field=" + name + "]");
            if (field) {
                field.hidden = !visible;
            }
        }
        function update() {
            if (!form.querySelector("[name=target]")) {
                return;
            }
            if (numbers[chosen("kind")]) {
                ["points", "per", "threshold", "times", "plus", "announce"].forEach(function (name) {
                    show(name, numbers[chosen("kind")].indexOf(name) !== -1);
                });
            }
            Object.keys(objects).forEach(function (target) {
                show(objects[target], chosen("target") === target);
            });
        }
        form.addEventListener("change", update);
        update();
    });

    document.querySelectorAll("[data-publish-form]").forEach(function (form) {
        function update() {
            var later = form.querySelector("input[name=start][value=at]").checked;
            ["day", "time"].forEach(function (name) {
                form.querySelector("[data-field=" + name + "]").hidden = !later;
            });
        }
        form.addEventListener("change", update);
        update();
    });

    // The lists that Oscar's script puts in place of selects, sooner or later, are named as the selects are.
    function nameLists() {
        document.querySelectorAll(".loyalty .select2-selection:not([data-named])").forEach(function (box) {
            var chosen = box.querySelector(".select2-selection__rendered");
            var name = chosen ? chosen.id.replace(/^select2-|-container$/g, "") : "";
            var label = name && document.querySelector('label[for="' + name + '"]');
            if (!label) {
                return;
            }
            box.setAttribute("data-named", "");
            label.id = label.id || name + "_label";
            chosen.setAttribute("aria-labelledby", label.id);
            box.setAttribute("aria-labelledby", label.id + " " + chosen.id);
        });
    }
    nameLists();
    new MutationObserver(nameLists).observe(document.body, { childList: true, subtree: true });
})();
