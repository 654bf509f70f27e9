// The card that somebody kept on this device, in whatever language, goes when they leave.
(async () => {
    if (!("caches" in window)) return;
    const kept = (await caches.keys()).filter((name) => name.startsWith("loyalty-card"));
    await Promise.all(kept.map((name) => caches.delete(name)));
})();
