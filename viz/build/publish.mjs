// Puts the built page where the C++ build takes it from: viz/page/index.html, which is committed.
// With --check FILE only says whether FILE is what is committed.
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const checked = process.argv.indexOf("--check");
const built = checked < 0 ? join(root, "dist", "index.html") : process.argv[checked + 1];
const page = join(root, "page", "index.html");
const most = 150 * 1024;
const packed = gzipSync(readFileSync(built), { level: 9 }).length;
if (packed > most) {
    console.error(`the page has ${packed} bytes gzipped, more than ${most}`);
    process.exit(1);
}
if (checked < 0) {
    mkdirSync(dirname(page), { recursive: true });
    copyFileSync(built, page);
} else if (!readFileSync(built).equals(readFileSync(page))) {
    console.error("viz/page/index.html is not what the sources build: run `npm run build` in viz/ and commit it");
    process.exit(1);
}
console.log(`viz/page/index.html: ${statSync(page).size} bytes, ${packed} gzipped`);
