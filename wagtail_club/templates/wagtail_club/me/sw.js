{% load static %}// Answers with the card that its holder kept on this device while there is no network, and with nothing else.
const CACHE = "loyalty-card";
const CARD = "{{ card|escapejs }}";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function navigate(request) {
    try {
        const answer = await fetch(request);
        // Whoever has signed out is sent to sign in: the card goes with them.
        if (answer.redirected || answer.type === "opaqueredirect") {
            await caches.delete(CACHE);
        } else if (answer.ok && new URL(request.url).pathname === CARD && (await caches.has(CACHE))) {
            await (await caches.open(CACHE)).put(CARD, answer.clone());
        }
        return answer;
    } catch (error) {
        const kept = await caches.match(CARD, { cacheName: CACHE });
        if (kept) return kept;
        throw error;
    }
}

self.addEventListener("fetch", (event) => {
    if (event.request.mode === "navigate") {
        event.respondWith(navigate(event.request));
    } else if (event.request.method === "GET") {
        event.respondWith(
            fetch(event.request).catch(async (error) => {
                const kept = await caches.match(event.request, { cacheName: CACHE });
                if (kept) return kept;
                throw error;
            })
        );
    }
});
