// The page in a browser: opened from disk with the network blocked.
//   node tests/page/page.mjs FOLDER    FOLDER has the pages that tests/cli/viewer.sh makes
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { launch, looksLike, open, violations } from "./harness.mjs";

const folder = process.argv[2];
const file = (name) => join(folder, name);
const browser = await launch();
let failed = 0;

async function test(name, body) {
    const start = Date.now();
    try {
        await body();
        console.log(`ok      ${name} (${Date.now() - start} ms)`);
    } catch (error) {
        ++failed;
        console.log(`FAILED  ${name}\n${error.stack}`);
    }
}

/** The step that the page is at, when it is drawn. */
const where = async (page) => {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    return page.locator("output.where").innerText();
};
/** How much of the lanes has the colour of the first task. */
const drawn = (page) => page.evaluate(() => {
    const canvas = document.querySelector("canvas"), context = canvas.getContext("2d");
    const pixels = (x, y, w, h) => context.getImageData(x, y, w, h).data;
    const before = pixels(0, 0, canvas.width, canvas.height), key = (data, i) => `${data[i]},${data[i + 1]},${data[i + 2]}`;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = getComputedStyle(canvas).getPropertyValue("--task-0").trim();
    context.fillRect(0, 0, 1, 1);
    const wanted = key(pixels(0, 0, 1, 1), 0);
    context.restore();
    let count = 0;
    for (let i = 0; i < before.length; i += 4) if (key(before, i) === wanted) ++count;
    return count;
});
/** The book in a page, and a page with another book. */
const dataPattern = /(<script id="interleaf-data"[^>]*>)([A-Za-z0-9+/=]*)(<\/script>)/;
const bookOf = (html) => JSON.parse(gunzipSync(Buffer.from(dataPattern.exec(html)[2], "base64")).toString());
const withBook = (html, text) => html.replace(dataPattern, (_, a, b, c) => a + gzipSync(text).toString("base64") + c);

await test("opens where it matters, and the slider and keys move it", async () => {
    const { page, close } = await open(browser, file("fail.html"));
    const critical = bookOf(readFileSync(file("fail.html"), "utf8")).traces[0].why.critical.step;
    assert.match(await where(page), new RegExp(`^step ${critical + 1} of`));
    assert.match(await page.locator(".why").innerText(), /The critical step/);
    await page.keyboard.press("ArrowRight");
    assert.match(await where(page), new RegExp(`^step ${critical + 2} of`));
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("PageUp");
    assert.match(await where(page), new RegExp(`^step ${critical - 9} of`));
    await page.keyboard.press("Home");
    assert.match(await where(page), /^step 0 of/);
    await page.locator("#slider").fill("100");
    assert.match(await where(page), /^step 100 of/);
    await page.locator("#slider").focus();
    await page.keyboard.press("ArrowRight");
    assert.match(await where(page), /^step 101 of/);
    await page.keyboard.press("v");
    assert.match(await page.locator(".why").innerText(), /does not hold what/);
    const before = await where(page);
    await page.keyboard.press("Shift+ArrowLeft");
    assert.notEqual(await where(page), before);
    await page.keyboard.press("c");
    await page.keyboard.press(",");
    await page.keyboard.press(".");
    await page.keyboard.press("x");
    assert.match(await page.locator(".transport").innerText(), /axis: switch/);
    await page.keyboard.press("x");
    const panel = page.locator("#panel-devices");
    assert.equal(await panel.locator(".bar").count(), 0);
    await page.keyboard.press("5");
    assert.ok(await panel.locator(".bar").count() > 0);
    await page.keyboard.press("t");
    assert.ok(await panel.locator("table").count() > 0);
    await page.keyboard.press("t");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("End");
    assert.match(await page.locator("#panel-devices").innerText(), /≠ the copies differ/);
    await close();
});

await test("a state at a step is what the document says", async () => {
    const trace = bookOf(readFileSync(file("fail.html"), "utf8")).traces[0];
    const { page, close } = await open(browser, file("fail.html"), { hash: "#step=64&panels=space" });
    await page.locator("#panel-space").getByRole("button", { name: "Space as table" }).click();
    const used = trace.state.keyframes[1].space.METADATA.used;
    assert.match(await page.locator("#panel-space tr", { hasText: "METADATA" }).innerText(), new RegExp(`${used / 1024} KiB`));
    await close();
});

await test("search finds, n and p go there, and single keys can be turned off", async () => {
    const { page, close } = await open(browser, file("fail.html"), { hash: "#step=0" });
    await page.keyboard.press("/");
    await page.keyboard.type("task:writer op:writes");
    assert.match(await page.locator("output.matches").innerText(), /^[1-9]\d* match/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("n");
    const first = await where(page);
    await page.keyboard.press("n");
    assert.notEqual(await where(page), first);
    await page.keyboard.press("p");
    assert.equal(await where(page), first);
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.getByLabel("single-key shortcuts").uncheck();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("n");
    assert.equal(await where(page), first);
    await page.keyboard.press("ArrowRight");
    assert.notEqual(await where(page), first);
    await close();
});

await test("watching finds who set something last, and when it changes next", async () => {
    const { page, close } = await open(browser, file("fail.html"), { hash: "#step=200&panels=groups" });
    await page.locator("#panel-groups").getByRole("button", { name: "Block groups as table" }).click();
    await page.locator("#panel-groups").getByRole("button", { name: "5242880", exact: true }).click();
    await page.keyboard.press("w");
    const next = Number(/step (\d+)/.exec(await where(page))[1]);
    assert.ok(next > 200);
    assert.match(await page.locator("#panel-groups").innerText(), /Δ 5242880|Δ changed/);
    await page.keyboard.press("W");
    assert.ok(Number(/step (\d+)/.exec(await where(page))[1]) < next);
    await close();
});

await test("a link shows the same view again", async () => {
    const first = await open(browser, file("fail.html"), { hash: "#step=321&panels=refs,space&axis=switch" });
    await first.page.getByRole("button", { name: "link", exact: true }).click();
    const link = await first.page.evaluate(() => navigator.clipboard.readText());
    assert.match(link, /step=321/);
    await first.close();
    const second = await open(browser, file("fail.html"), { hash: link.slice(link.indexOf("#")) });
    assert.match(await where(second.page), /^step 321 of/);
    assert.match(await second.page.locator(".transport").innerText(), /axis: switch/);
    assert.equal(await second.page.locator("#panel-space .bar").count() > 0, true);
    assert.equal(await second.page.locator("#panel-groups .bar").count(), 0);
    await second.page.evaluate(() => { location.hash = "#step=5"; });
    await second.page.waitForFunction(() => document.querySelector("output.where").textContent.startsWith("step 5 of"));
    await second.close();
});

await test("compare marks where two executions part", async () => {
    const { page, close } = await open(browser, file("compare.html"));
    assert.equal(await page.locator(".lanes canvas").count(), 2);
    const said = JSON.parse(readFileSync(file("diff.json"), "utf8"));
    const bar = await page.locator(".comparebar").innerText();
    assert.ok(bar.includes(`first different choice: step ${said.common_steps}`), bar);
    assert.ok(bar.includes(`first different state: step ${said.first_state.a.step} / ${said.first_state.b.step}`), bar);
    await page.getByRole("button", { name: /first different choice/ }).click();
    assert.match(await where(page), new RegExp(`^step ${said.common_steps + 1} of`));
    assert.match(await page.locator("section[aria-labelledby=title-difference]").innerText(), /devices/);
    await page.keyboard.press("Home");
    assert.match(await page.locator("section[aria-labelledby=title-difference]").innerText(), /the two states are the same/);
    await page.keyboard.press("d");
    assert.equal(await page.locator(".lanes canvas").count(), 1);
    await close();
});

await test("notes are saved with the page, and the saved page is the same", async () => {
    const { page, close } = await open(browser, file("fail.html"), { hash: "#step=77" });
    await page.keyboard.press("m");
    await page.locator(".addnote input").focus();
    await page.keyboard.type("<b>here</b> it begins");
    await page.keyboard.press("Enter");
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "save this page with the notes" }).click();
    const saved = file("saved.html");
    await (await download).saveAs(saved);
    await close();
    const again = await open(browser, saved);
    await again.page.keyboard.press("m");
    const note = again.page.locator(".notes li");
    assert.match(await note.innerText(), /<b>here<\/b> it begins/);
    await note.getByRole("button", { name: "step 77", exact: true }).click();
    await again.page.keyboard.press("Escape");
    await again.page.getByRole("dialog").waitFor({ state: "detached" });
    assert.match(await where(again.page), /^step 77 of/);
    const before = bookOf(readFileSync(file("fail.html"), "utf8")), after = bookOf(readFileSync(saved, "utf8"));
    assert.deepEqual(after.traces, before.traces);
    assert.equal(after.notes.length, 1);
    await again.close();
});

for (const scheme of ["light", "dark"])
    await test(`nothing stands in the way of assistive technology, ${scheme}`, async () => {
        for (const [name, hash] of [["fail.html", ""], ["fail.html", "#step=300&panels=transaction,trees,refs,groups,devices,space,files,tasks,invariants,ladder"],
            ["compare.html", ""], ["empty.html", ""]]) {
            const { page, close } = await open(browser, file(name), { hash, colorScheme: scheme });
            assert.deepEqual(await violations(page), [], `${name}${hash}`);
            if (name === "fail.html" && hash !== "") {
                await page.keyboard.press("t");
                assert.deepEqual(await violations(page), [], "as text");
                await page.keyboard.press("?");
                await page.getByRole("dialog").waitFor();
                assert.deepEqual(await violations(page), [], "help");
            }
            await close();
        }
    });

await test("a lesson is walked by keyboard from an empty page to the race, and the reader may leave it", async () => {
    const book = bookOf(readFileSync(file("lesson.html"), "utf8"));
    const { stops, branches } = book.lesson;
    const { page, close } = await open(browser, file("lesson.html"));
    const bar = page.locator("section.lesson");
    const openPanels = () => page.locator("aside.state .panel:not(.closed)").count();
    assert.match(await where(page), /^step 0 of/);
    assert.equal(await openPanels(), 0);
    assert.equal(await drawn(page), 0);
    assert.match(await bar.innerText(), new RegExp(`stop 1 of ${stops.length}`));
    for (let i = 0; i < stops.length; ++i) {
        if (i > 0) await page.keyboard.press("N");
        assert.match(await where(page), new RegExp(`^step ${stops[i].step} of`));
        assert.ok((await bar.innerText()).includes(stops[i].title));
        assert.equal(await openPanels(), stops[i].panels.length);
        assert.match(await page.locator("[aria-live=polite]").innerText(), new RegExp(`^stop ${i + 1} of ${stops.length}: `));
    }
    assert.match(await page.locator("#panel-devices").innerText(), /≠ the copies differ/);
    assert.ok(await drawn(page) > 1000);
    await page.keyboard.press("N");
    assert.match(await bar.innerText(), new RegExp(`stop ${stops.length} of`));

    // A question is answered when the reader asks; words are explained without a mouse.
    const asked = stops.findIndex((stop) => stop.question !== undefined);
    for (let i = stops.length - 1; i > asked; --i) await page.keyboard.press("P");
    assert.ok(!(await bar.innerText()).includes(stops[asked].question.answer.slice(0, 20)));
    await bar.getByRole("button", { name: "answer" }).focus();
    await page.keyboard.press("Enter");
    assert.ok((await bar.innerText()).includes(stops[asked].question.answer.slice(0, 20)));
    await bar.locator(".stopwords summary").focus();
    await page.keyboard.press("Enter");
    assert.match(await bar.locator(".stopwords dd").first().innerText(), /\w{3}/);

    // The reader lets another task come next: that leads to an execution that passes, and back.
    const chosen = stops.findLastIndex ? stops.findLastIndex((stop) => stop.choose) : stops.map((stop) => stop.choose).lastIndexOf(true);
    for (let i = asked; i < chosen; ++i) await page.keyboard.press("N");
    const branch = branches.find((one) => one.step === stops[chosen].step);
    const choices = bar.getByRole("group", { name: "Who comes next?" }).getByRole("button");
    assert.equal(await choices.count(), 2);
    await choices.filter({ hasNotText: "as told" }).focus();
    await page.keyboard.press("Enter");
    assert.match(await where(page), new RegExp(`^step ${branch.step + 1} of`));
    assert.match(await bar.innerText(), /Your own order[^]*ends without a violation/);
    await page.keyboard.press("End");
    assert.doesNotMatch(await page.locator("body").innerText(), /≠ the copies differ/);
    await bar.getByRole("button", { name: /back to this stop/ }).focus();
    await page.keyboard.press("Enter");
    assert.match(await where(page), new RegExp(`^step ${stops[chosen].step} of`));

    // The same from the alternatives under the lanes, where the outcome is known.
    await page.locator("#branches button", { hasText: "✓" }).click();
    assert.match(await bar.innerText(), /Your own order/);
    await page.keyboard.press("N");
    assert.match(await bar.innerText(), new RegExp(`stop ${chosen + 2} of`));

    // The address keeps the stop.
    const link = await page.evaluate(() => location.hash);
    await close();
    const again = await open(browser, file("lesson.html"), { hash: link });
    assert.match(await again.page.locator("section.lesson").innerText(), new RegExp(`stop ${chosen + 2} of`));
    await again.close();
});

await test("a lesson is printed with one page for each stop", async () => {
    const { stops } = bookOf(readFileSync(file("lesson.html"), "utf8")).lesson;
    const { page, close } = await open(browser, file("lesson.html"));
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(".printed article").count(), stops.length);
    assert.ok(await page.locator(".printed article").last().isVisible());
    assert.ok(!(await page.locator(".columns").isVisible()));
    const pdf = await page.pdf();
    assert.ok((pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g) ?? []).length >= stops.length);
    await close();
});

for (const scheme of ["light", "dark"])
    await test(`nothing in a lesson stands in the way of assistive technology, ${scheme}`, async () => {
        const { page, close } = await open(browser, file("lesson.html"), { colorScheme: scheme });
        const { stops } = bookOf(readFileSync(file("lesson.html"), "utf8")).lesson;
        for (let i = 0; i < stops.length; ++i) {
            if (i > 0) await page.keyboard.press("N");
            if (i % 3 !== 0 && !stops[i].choose) continue;
            await page.evaluate(() => document.querySelectorAll("section.lesson details").forEach((one) => { one.open = true; }));
            assert.deepEqual(await violations(page), [], `stop ${i + 1}`);
        }
        await page.keyboard.press("P");
        await close();
    });

// Of a kept execution: what the model does changes, how it is drawn must not.
await test("lanes and trees look as they did", async () => {
    const kept = gunzipSync(readFileSync(new URL("golden/execution.json.gz", import.meta.url))).toString();
    writeFileSync(file("picture.html"), withBook(readFileSync(file("fail.html"), "utf8"), kept));
    for (const scheme of ["light", "dark"]) {
        const { page, close } = await open(browser, file("picture.html"), { hash: "#step=548&panels=trees", colorScheme: scheme });
        await page.waitForTimeout(200);
        await looksLike(browser, page.locator(".lanes"), `lanes-${scheme}`);
        await looksLike(browser, page.locator("#panel-trees"), `trees-${scheme}`);
        await close();
    }
});

await test("everything is reachable at 200 %, on a narrow screen and with reduced motion", async () => {
    const { page, close } = await open(browser, file("fail.html"), { viewport: { width: 640, height: 480 }, reducedMotion: "reduce" });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 1, `the page is ${overflow} pixels too wide`);
    await page.locator("#panel-invariants").scrollIntoViewIfNeeded();
    assert.ok(await page.locator("#panel-invariants").isVisible());
    await close();
});

await test("hostile data is text, or one clear message", async () => {
    const html = readFileSync(file("fail.html"), "utf8");
    const book = bookOf(html);
    const evil = "</script><img src=x onerror=\"document.title='broken'\"><b>";
    const trace = book.traces[0];
    trace.scenario.title = trace.scenario.id = evil;
    trace.tasks.name = trace.tasks.name.map((name) => `${evil}${name}`);
    trace.objects.forEach((object) => { object.name = evil + "x".repeat(10_000); });
    trace.strings = trace.strings.map((text) => evil + text);
    trace.messages = [evil];
    for (const keyframe of trace.state.keyframes) keyframe.groups = { [evil]: { type: evil, length: 1, free: [] } };
    writeFileSync(file("evil.html"), withBook(html, JSON.stringify(book)));
    const { page, close } = await open(browser, file("evil.html"), { hash: "#step=100&panels=groups,tasks,files,trees" });
    assert.notEqual(await page.title(), "broken");
    assert.equal(await page.locator("img").count(), 0);
    assert.ok((await page.locator("body").innerText()).includes("<img src=x"));
    await close();
    const whole = JSON.stringify(bookOf(html));
    const cut = html.replace(dataPattern, (_, a, b, c) => a + b.slice(0, b.length >> 1) + c);
    const empty = { ...bookOf(html).traces[0] };
    for (const name of ["steps", "accesses", "scopes", "notes", "holds", "waits", "choices"])
        empty[name] = Object.fromEntries(Object.keys(empty[name]).map((column) => [column, []]));
    empty.window = { first: 0, count: 0 };
    empty.counts = { steps: 0, switches: 0, deviations: 0 };
    empty.violation = null;
    empty.why = {};
    empty.state = { interval: 64, keyframes: [empty.state.keyframes[0]], deltas: [] };
    const cases = [
        ["cut.html", cut, /cut or damaged/],
        ["cutjson.html", withBook(html, whole.slice(0, 9000)), /cut or damaged/],
        ["newer.html", withBook(html, JSON.stringify({ ...bookOf(html).traces[0], version: 99 })), /newer interleaf/],
        ["other.html", withBook(html, "{}"), /no execution of interleaf/],
        ["nosteps.html", withBook(html, JSON.stringify(empty)), /step 0 of 0/],
    ];
    for (const [name, content, message] of cases) {
        writeFileSync(file(name), content);
        const shown = await open(browser, file(name));
        assert.match(await shown.page.locator("body").innerText(), message, name);
        await shown.close();
    }
});

await test("a document can be opened by hand in the empty page", async () => {
    const { page, close } = await open(browser, file("empty.html"));
    await page.setInputFiles("input[type=file]", file("pass.json"));
    await page.waitForSelector("output.where");
    await close();
});

await test("a page with many steps is small, opens at once and steps at once", async () => {
    const html = readFileSync(file("big.html"));
    assert.ok(html.length <= 5_000_000, `${html.length} bytes`);
    const { page, close } = await open(browser, file("big.html"), { ready: false });
    await page.waitForSelector("output.where");
    const total = Number(/of (\d+)/.exec(await where(page))[1]);
    assert.ok(total >= 100_000, `${total} steps only`);
    // What the page's thread worked, in ms: whoever else uses the machine does not count.
    const browserSide = await page.context().newCDPSession(page);
    await browserSide.send("Performance.setTimeDomain", { timeDomain: "threadTicks" });
    await browserSide.send("Performance.enable");
    const worked = async () => {
        const { metrics } = await browserSide.send("Performance.getMetrics");
        return metrics.find((metric) => metric.name === "ThreadTime").value * 1000;
    };
    const idle = await worked();
    await page.reload();
    await page.waitForSelector("output.where");
    const opened = await page.evaluate(() => performance.now());
    const opening = await worked() - idle;
    assert.ok(opening > 0, "another process opened it");
    await page.waitForSelector("html[data-ready]");
    await page.evaluate(() => new Promise((done) => setTimeout(done, 500)));
    const before = await worked();
    const steps = 80;
    const times = await page.evaluate(async (count) => {
        const list = [];
        const press = async (key) => {
            const start = performance.now();
            document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            await Promise.resolve();
            list.push(performance.now() - start);
            await new Promise((done) => requestAnimationFrame(done));
        };
        for (let i = 0; i < count; ++i) await press(i < count / 2 ? "ArrowLeft" : "ArrowRight");
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        return list.sort((a, b) => a - b);
    }, steps);
    const stepping = (await worked() - before) / steps, median = times[steps >> 1];
    console.log(`        ${total} steps, ${html.length} bytes; open after ${Math.round(opened)} ms, of which the page works ` +
        `${Math.round(opening)} ms; a step is made in ${median.toFixed(1)} ms (median), drawn with ${stepping.toFixed(1)} ms of work`);
    // The figures are for a quiet machine; on one whose caches and cores others use too, work takes longer.
    const slack = Number(process.env.SLOW ?? 3);
    assert.ok(opening < 1000 * slack, `${opening} ms of work to open`);
    assert.ok(stepping < 16 * slack, `${stepping} ms of work for a step`);
    await close();
});

await browser.close();
console.log(failed === 0 ? "all page tests passed" : `${failed} page tests failed`);
process.exit(failed === 0 ? 0 : 1);
