// Keeps the card on this device when its holder asks for that, and takes it away again.
(() => {
    const { worker, scope, card, leave } = document.currentScript.dataset;
    const CACHE = `loyalty-card:${card}`;
    if (!("serviceWorker" in navigator) || !("caches" in window)) return;
    navigator.serviceWorker.register(worker, { scope }).catch(() => {});

    // Of every language.
    async function forgetAll() {
        // The own one at once: the page may be left before the others are known.
        const own = caches.delete(CACHE);
        const kept = (await caches.keys()).filter((name) => name.startsWith("loyalty-card"));
        await Promise.all([own, ...kept.map((name) => caches.delete(name))]);
    }

    // Who signs out here leaves no card behind, not even until the next visit.
    const leaves = (address) => address && new URL(address, location.href).pathname === leave;
    document.addEventListener("click", (event) => {
        const link = event.target.closest("a[href]");
        if (link && leaves(link.href)) forgetAll();
    });
    document.addEventListener("submit", (event) => {
        if (leaves(event.target.action)) forgetAll();
    });

    const panel = document.querySelector("[data-club-keep]");
    if (!panel) return;
    const keep = panel.querySelector('[data-club-do="keep"]');
    const forget = panel.querySelector('[data-club-do="forget"]');
    const kept = panel.querySelector("[data-club-kept]");

    async function show() {
        const there = await caches.has(CACHE);
        kept.hidden = forget.hidden = !there;
        keep.hidden = there;
        panel.hidden = false;
    }

    keep.addEventListener("click", async () => {
        keep.disabled = true;
        try {
            await navigator.serviceWorker.ready;
            const styles = [...document.querySelectorAll('link[rel="stylesheet"]')].map((link) => link.href);
            const scripts = [...document.querySelectorAll("script[src]")].map((script) => script.src);
            await (await caches.open(CACHE)).addAll([card, ...styles, ...scripts]);
        } catch (error) {
            await caches.delete(CACHE);
        }
        keep.disabled = false;
        await show();
        (keep.hidden ? forget : keep).focus();
    });
    forget.addEventListener("click", async () => {
        await forgetAll();
        await show();
        keep.focus();
    });
    show();
})();
