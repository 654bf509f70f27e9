// Shows what a number of points pays while it is typed. Without this script the button "Update" does the same.
(function () {
    "use strict";
    var form = document.getElementById("loyalty-use");
    if (!form || !window.fetch || !window.DOMParser) return;
    var field = form.querySelector("input[name=points]");
    var shown = field.value;
    var timer = null;
    var running = null;

    function put(id, page) {
        var before = document.getElementById(id);
        var after = page.getElementById(id);
        if (before && after) before.replaceWith(document.adoptNode(after));
    }

    function ask() {
        window.clearTimeout(timer);
        timer = null;
        var typed = field.value;
        // The server answers with the parts of the page that change, and keeps the number.
        var data = new FormData(form);
        data.append("loyalty_points_do", "use");
        data.append("loyalty_live", "1");
        var plan = document.getElementById("loyalty-plan");
        plan.setAttribute("aria-busy", "true");
        var mine = fetch(window.location.href, { method: "POST", body: data, credentials: "same-origin" })
            .then(function (answer) {
                if (!answer.ok || answer.redirected) throw new Error("no answer");
                return answer.text();
            })
            .then(function (text) {
                // An older answer must not cover a newer one.
                if (running !== mine) return;
                running = null;
                shown = typed;
                var page = new DOMParser().parseFromString(text, "text/html");
                put("loyalty-plan", page);
                // A text is read aloud when it changes inside of what is announced.
                var note = page.getElementById("loyalty-points-note");
                document.getElementById("loyalty-points-note").replaceChildren(...Array.from(note.childNodes));
                var wrong = document.querySelector("#loyalty-points-note .loyalty-errors") !== null;
                field.setAttribute("aria-invalid", String(wrong));
                field.parentNode.classList.toggle("loyalty-field--wrong", wrong);
            });
        running = mine;
        return mine.catch(function () {
            running = null;
            // The plain form does what could not be done here.
            form.querySelector("[value=use]").click();
        });
    }

    field.addEventListener("input", function () {
        window.clearTimeout(timer);
        timer = window.setTimeout(ask, 350);
    });

    // Whoever goes on at once takes along what was typed last.
    document.addEventListener("click", function (event) {
        var link = event.target.closest("#view_preview");
        if (!link || (field.value === shown && !running)) return;
        event.preventDefault();
        ask().then(function () {
            var now = document.getElementById("view_preview");
            var wrong = document.querySelector("#loyalty-points-note .loyalty-errors, #loyalty-points-note .loyalty-warning");
            if (now && !wrong) now.click();
        });
    });
})();
