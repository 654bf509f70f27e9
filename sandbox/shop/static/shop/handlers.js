/* What Oscar writes as onclick="…" within its pages, which a strict Content-Security-Policy does not run. */
(function () {
    "use strict";
    var known = [
        [/history\.go\(-1\)/, function () { window.history.go(-1); }],
        [/window\.print\(\)/, function () { window.print(); }],
        [/window\.location\.href='([^']+)'/, function (found) { window.location.href = found[1]; }]
    ];
    document.addEventListener("click", function (event) {
        var element = event.target.closest("[onclick]");
        if (!element) { return; }
        known.forEach(function (each) {
            var found = each[0].exec(element.getAttribute("onclick"));
            if (found) {
                event.preventDefault();
                each[1](found);
            }
        });
    });
}());
