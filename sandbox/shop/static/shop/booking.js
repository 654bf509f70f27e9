/* Person, day, time: each choice opens the next. Works on django-appointment's own addresses, in plain JavaScript. */
(function () {
    "use strict";
    const form = document.querySelector("form.mp-picker[data-slots]");
    if (!form) return;
    const { slots, days, next, minutes } = form.dataset;
    const language = form.dataset.language === "en" ? "en-GB" : form.dataset.language; // a week starts on Monday here
    const find = (selector) => form.querySelector(selector);
    const dateStep = find('[data-step="date"]');
    const timeStep = find('[data-step="time"]');
    const note = find(".mp-picker__note");
    const times = find(".mp-choices--times");
    const submit = find('button[type="submit"]');
    const today = new Date();
    today.setHours(0, 0, 0, 0);
    let month = new Date(today.getFullYear(), today.getMonth(), 1);
    let closed = [];
    let request = 0; // answers that come after a newer question are ignored

    const iso = (day) => [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
    const clock = (total) => [Math.floor(total / 60), total % 60].map((n) => String(n).padStart(2, "0")).join(":");
    const person = () => form.elements.staff_member.value;
    const tell = (name, text) => {
        const row = document.querySelector(`[data-summary="${name}"]`);
        row.hidden = !text;
        row.querySelector("dd").textContent = text;
    };
    const ask = (address, query) =>
        fetch(`${address}?${new URLSearchParams(query)}`, { headers: { "X-Requested-With": "XMLHttpRequest" } }).then((answer) => answer.json());

    function forgetTime() {
        times.replaceChildren();
        form.elements.start_time.value = "";
        submit.disabled = true;
        tell("time", "");
    }

    function drawMonth() {
        find(".mp-calendar__head strong").textContent = new Intl.DateTimeFormat(language, { month: "long", year: "numeric" }).format(month);
        find('[data-month="-1"]').disabled = month <= today;
        const names = find(".mp-calendar__names");
        const grid = find(".mp-calendar__days");
        names.replaceChildren();
        grid.replaceChildren();
        for (let offset = 0; offset < 7; offset += 1) {
            const name = document.createElement("span");
            // 1 January 2024 was a Monday, the first day of a French week.
            name.textContent = new Intl.DateTimeFormat(language, { weekday: "short" }).format(new Date(2024, 0, 1 + offset));
            names.append(name);
        }
        const last = new Date(month.getFullYear(), month.getMonth() + 1, 0).getDate();
        for (let number = 1; number <= last; number += 1) {
            const day = new Date(month.getFullYear(), month.getMonth(), number);
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = number;
            button.dataset.day = iso(day);
            button.setAttribute("aria-label", new Intl.DateTimeFormat(language, { dateStyle: "full" }).format(day));
            button.setAttribute("aria-pressed", String(form.elements.date.value === iso(day)));
            button.disabled = day < today || closed.includes(day.getDay());
            if (number === 1) button.style.gridColumnStart = ((day.getDay() + 6) % 7) + 1;
            grid.append(button);
        }
    }

    function chooseDay(value) {
        const day = new Date(`${value}T00:00:00`);
        form.elements.date.value = value;
        month = new Date(day.getFullYear(), day.getMonth(), 1);
        tell("date", new Intl.DateTimeFormat(language, { dateStyle: "full" }).format(day));
        forgetTime();
        drawMonth();
        timeStep.hidden = false;
        note.textContent = "…";
        const mine = (request += 1);
        ask(slots, { selected_date: value, staff_member: person(), service_id: form.elements.service.value })
            .then((answer) => {
                if (mine !== request) return;
                note.textContent = answer.available_slots.length ? "" : form.dataset.none;
                answer.available_slots.forEach(([start]) => offer(start));
            })
            .catch(() => { if (mine === request) note.textContent = form.dataset.broken; });
    }

    function offer(start) {
        const begins = start.slice(11, 16);
        const label = document.createElement("label");
        const input = document.createElement("input");
        const text = document.createElement("span");
        label.className = "mp-choice";
        input.type = "radio";
        input.name = "slot";
        input.value = begins;
        text.textContent = begins;
        label.append(input, text);
        times.append(label);
    }

    function choosePerson() {
        tell("stylist", find('[name="staff_member"]:checked').parentElement.textContent.trim());
        dateStep.hidden = false;
        timeStep.hidden = true;
        forgetTime();
        const mine = (request += 1);
        Promise.all([ask(days, { staff_member: person() }), ask(next, { staff_member: person() })])
            .then(([week, free]) => {
                if (mine !== request) return;
                closed = week.non_working_days || [];
                drawMonth();
                const wanted = form.elements.date.value || form.dataset.date;
                const works = wanted && !closed.includes(new Date(`${wanted}T00:00:00`).getDay());
                if (free.next_available_date) chooseDay(works ? wanted : free.next_available_date);
                else { timeStep.hidden = false; note.textContent = form.dataset.full; }
            })
            .catch(() => { timeStep.hidden = false; note.textContent = form.dataset.broken; });
    }

    form.addEventListener("change", (event) => {
        if (event.target.name === "staff_member") choosePerson();
        if (event.target.name === "slot") {
            const [hour, minute] = event.target.value.split(":").map(Number);
            form.elements.start_time.value = event.target.value;
            form.elements.end_time.value = clock(hour * 60 + minute + Number(minutes));
            tell("time", event.target.parentElement.textContent.trim());
            submit.disabled = false;
        }
    });
    form.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (!button) return;
        if (button.dataset.day) chooseDay(button.dataset.day);
        if (button.dataset.month) {
            month = new Date(month.getFullYear(), month.getMonth() + Number(button.dataset.month), 1);
            drawMonth();
        }
    });
    // One person only, or a page that the browser kept: nothing to wait for.
    const people = form.querySelectorAll('[name="staff_member"]');
    if (people.length === 1) people[0].checked = true;
    if (find('[name="staff_member"]:checked')) choosePerson();
})();
