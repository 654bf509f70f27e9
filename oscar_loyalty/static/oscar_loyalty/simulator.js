/* The page of a simulation looks again by itself without it; it moves the bar meanwhile, and comes back when it is over. */
(function () {
    "use strict";
    var bar = document.querySelector("[data-progress]");
    if (!bar || !window.fetch) {
        return;
    }
    function look() {
        window.fetch(bar.getAttribute("data-progress"), {credentials: "same-origin", cache: "no-store"})
            .then(function (answer) {
                if (!answer.ok) {
                    throw new Error(String(answer.status));
                }
                return answer.json();
            })
            .then(function (seen) {
                if (seen.over) {
                    window.location.reload();
                    return;
                }
                bar.value = seen.percent;
                bar.textContent = seen.percent + " %";
                window.setTimeout(look, 1000);
            })
            .catch(function () {
                window.setTimeout(look, 5000);
            });
    }
    window.setTimeout(look, 1000);
})();
