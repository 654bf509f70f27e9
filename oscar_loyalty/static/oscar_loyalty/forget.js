// The card that somebody kept on this device goes when they leave.
if ("caches" in window) caches.delete("loyalty-card");
