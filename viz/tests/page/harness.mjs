// What the page tests share: Debian's Chromium with the network blocked, and pictures with a tolerance.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));

export async function launch() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--force-color-profile=srgb"],
    });
}

/** Opens a file from disk; whatever it asks of the network fails the test. */
export async function open(browser, file, options = {}) {
    const { hash = "", ready = true, ...contextOptions } = options;
    const context = await browser.newContext({
        viewport: { width: 1400, height: 900 }, permissions: ["clipboard-read", "clipboard-write"], ...contextOptions,
    });
    const page = await context.newPage();
    const errors = [];
    await context.route("**", (route) => {
        const url = route.request().url();
        if (url.startsWith("file:") || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
        errors.push(`asked for ${url}`);
        return route.abort();
    });
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(pathToFileURL(file).href + hash);
    if (ready) await page.waitForSelector("html[data-ready]", { timeout: 20_000 });
    return { page, context, errors, close: async () => {
        await context.close();
        assert.deepEqual(errors, [], `${file}: the page said something is wrong`);
    } };
}

/** Compares a picture of an element with the golden one: at most `most` of the pixels may differ clearly. */
export async function looksLike(browser, locator, name, most = 0.02) {
    const golden = join(here, "golden", `${name}.png`);
    const picture = await locator.screenshot({ animations: "disabled" });
    if (process.env.UPDATE_GOLDEN || !existsSync(golden)) {
        assert.ok(process.env.UPDATE_GOLDEN, `there is no golden picture ${golden}: make it with UPDATE_GOLDEN=1`);
        mkdirSync(dirname(golden), { recursive: true });
        writeFileSync(golden, picture);
        return;
    }
    const page = await browser.newPage();
    const share = await page.evaluate(async ([a, b]) => {
        const pixels = async (data) => {
            const image = new Image();
            image.src = `data:image/png;base64,${data}`;
            await image.decode();
            const canvas = document.createElement("canvas");
            canvas.width = image.width;
            canvas.height = image.height;
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            return context.getImageData(0, 0, image.width, image.height);
        };
        const [x, y] = [await pixels(a), await pixels(b)];
        if (Math.abs(x.width - y.width) > 2 || Math.abs(x.height - y.height) > 12) return 1;
        const width = Math.min(x.width, y.width), height = Math.min(x.height, y.height);
        let different = 0;
        for (let row = 0; row < height; ++row)
            for (let column = 0; column < width; ++column) {
                const i = (row * x.width + column) * 4, k = (row * y.width + column) * 4;
                if ([0, 1, 2].some((c) => Math.abs(x.data[i + c] - y.data[k + c]) > 48)) ++different;
            }
        return different / (width * height);
    }, [readFileSync(golden).toString("base64"), picture.toString("base64")]);
    await page.close();
    if (share > most) writeFileSync(join(process.cwd(), `${name}.png`), picture);
    assert.ok(share <= most, `${name}: ${(share * 100).toFixed(2)}% of the pixels differ from ${golden}; the new picture is ${name}.png`);
}

export async function violations(page) {
    const axe = readFileSync(join(here, "..", "..", "node_modules", "axe-core", "axe.min.js"), "utf8");
    await page.evaluate(axe);
    const { violations: found } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return found.map((v) => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join("; ")})`);
}
