// Answers with the card that its holder kept on this device while there is no network, and with nothing else.
const CARD = "{{ card|escapejs }}";
// Each language has a worker and a card of its own.
const CACHE = `loyalty-card:${CARD}`;
const HOLDER = "{{ holder|escapejs }}";
const LOOKS = ["style", "script", "font", "image"];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// Somebody else who signs in on this device has not asked for a card to be kept here: the one that was goes.
async function renew(answer) {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(CARD);
    if (kept && kept.headers.get(HOLDER) === answer.headers.get(HOLDER)) {
        await cache.put(CARD, answer);
    } else {
        await caches.delete(CACHE);
    }
}

// Whoever has signed out is sent to sign in: the card goes with them. A form that was saved sends on as well, so the
// card itself is asked.
async function check() {
    if (!(await caches.has(CACHE))) return;
    const answer = await fetch(CARD, { redirect: "manual" });
    if (answer.type === "opaqueredirect") {
        await caches.delete(CACHE);
    } else if (answer.ok) {
        await renew(answer);
    }
}

async function navigate(event) {
    const { request } = event;
    try {
        const answer = await fetch(request);
        if (answer.type === "opaqueredirect") {
            // Beside the answer, which does not wait for it.
            event.waitUntil(check());
        } else if (answer.ok && new URL(request.url).pathname === CARD && (await caches.has(CACHE))) {
            await renew(answer.clone());
        }
        return answer;
    } catch (error) {
        const kept = await caches.match(CARD, { cacheName: CACHE });
        if (kept) return kept;
        throw error;
    }
}

// What the kept card looks like is kept with it, so that a new version of the shop does not leave it bare.
async function fetchLooks(request) {
    try {
        const answer = await fetch(request);
        const ofCard = request.referrer && new URL(request.referrer).pathname === CARD;
        if (answer.ok && ofCard && LOOKS.includes(request.destination) && (await caches.has(CACHE))) {
            await (await caches.open(CACHE)).put(request, answer.clone());
        }
        return answer;
    } catch (error) {
        const kept = await caches.match(request, { cacheName: CACHE });
        if (kept) return kept;
        throw error;
    }
}

self.addEventListener("fetch", (event) => {
    if (event.request.mode === "navigate") {
        event.respondWith(navigate(event));
    } else if (event.request.method === "GET") {
        event.respondWith(fetchLooks(event.request));
    }
});
