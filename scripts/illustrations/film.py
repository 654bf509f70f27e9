"""Record the film of three breaths into sandbox/shop/club/films/: a flower that opens and closes, without a sound.

python scripts/illustrations/film.py
"""

import base64
import os
from pathlib import Path

from playwright.sync_api import sync_playwright

OUT = Path(__file__).resolve().parents[2] / "sandbox" / "shop" / "club" / "films"
#: Four seconds in, six out, three times.
RECORD = """async () => {
    const canvas = document.createElement("canvas"), W = canvas.width = 800, H = canvas.height = 450;
    const pen = canvas.getContext("2d"), LENGTH = 30000;
    const ease = (t) => (1 - Math.cos(Math.PI * t)) / 2;
    const open = (ms) => { const t = (ms % 10000) / 1000; return t < 4 ? ease(t / 4) : 1 - ease((t - 4) / 6); };
    function flower(count, size, colour, turn, width) {
        for (let index = 0; index < count; index++) {
            pen.save(); pen.translate(W / 2, H / 2); pen.rotate(turn + index * 2 * Math.PI / count);
            const shade = pen.createLinearGradient(0, -size, 0, 0);
            shade.addColorStop(0, colour[0]); shade.addColorStop(1, colour[1]); pen.fillStyle = shade;
            pen.beginPath(); pen.moveTo(0, 0);
            pen.bezierCurveTo(-size * width, -size * .35, -size * width, -size, 0, -size);
            pen.bezierCurveTo(size * width, -size, size * width, -size * .35, 0, 0); pen.fill(); pen.restore();
        }
    }
    function draw(ms) {
        const k = open(ms);
        const wall = pen.createRadialGradient(W * .3, H * .2, 20, W / 2, H / 2, W * .75);
        wall.addColorStop(0, "#edf5f3"); wall.addColorStop(1, "#a9c7c5");
        pen.fillStyle = wall; pen.fillRect(0, 0, W, H);
        for (const [radius, strength] of [[126, .55], [160, .35], [194, .2]]) {
            pen.strokeStyle = `rgba(255,255,255,${strength})`; pen.lineWidth = 4; pen.beginPath();
            pen.arc(W / 2, H / 2, radius * (.62 + .42 * k), 0, 2 * Math.PI); pen.stroke();
        }
        flower(8, 70 + 110 * k, ["#f3d9d3", "#e7b3ae"], k * .25, .30 + .10 * k);
        flower(8, 44 + 66 * k, ["#d99aa6", "#b9637b"], .4 - k * .2, .34 + .08 * k);
        pen.fillStyle = "#c99f55"; pen.beginPath(); pen.arc(W / 2, H / 2, 12 + 8 * k, 0, 2 * Math.PI); pen.fill();
    }
    draw(0);
    const type = ["video/webm;codecs=vp9", "video/webm;codecs=vp8"].find((one) => MediaRecorder.isTypeSupported(one));
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: type, videoBitsPerSecond: 90000 });
    const chunks = []; recorder.ondataavailable = (event) => chunks.push(event.data);
    const stopped = new Promise((done) => { recorder.onstop = done; });
    recorder.start(); const began = performance.now();
    await new Promise((done) => {
        const timer = setInterval(() => {
            const ms = performance.now() - began; draw(Math.min(ms, LENGTH - 1));
            if (ms > LENGTH) { clearInterval(timer); done(); }
        }, 40);
    });
    recorder.stop(); await stopped;
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
}"""


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        film = browser.new_page().evaluate(RECORD)
        (OUT / "breathe.webm").write_bytes(base64.b64decode(film))
        browser.close()


if __name__ == "__main__":
    main()
