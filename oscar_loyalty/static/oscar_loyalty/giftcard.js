// The picture of the gift card shows what is typed while it is typed. Without this script, the button under it does.
(function () {
    "use strict";
    var form = document.querySelector(".loyalty-gift");
    if (!form) return;
    var button = form.querySelector("[data-loyalty-preview]");
    var amount = form.querySelector("[name=amount]");
    var shown = form.querySelector("[data-loyalty-amount]");
    function show() {
        form.querySelectorAll("[data-loyalty-shows]").forEach(function (place) {
            place.textContent = form.elements[place.dataset.loyaltyShows].value;
        });
        if (amount && shown) shown.textContent = amount.value && amount.validity.valid ? money(amount) : "";
    }
    function money(field) {
        var number = Number(field.value);
        try {
            return new Intl.NumberFormat(document.documentElement.lang || undefined, {
                style: "currency", currency: field.dataset.loyaltyCurrency
            }).format(number);
        } catch (error) {
            return field.value;
        }
    }
    if (button) button.hidden = true;
    form.addEventListener("input", show);
    show();
})();
