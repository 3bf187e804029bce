import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { Seeker } from "../../src/core/seek";
import { parseBook } from "../../src/core/trace";

// FIXTURES: a folder with NAME.json (export --to json) and NAME.states (export --to states) each.
const folder = process.env.FIXTURES;
const tenMinutes = 600_000;

/** The lines of a file that may be too large for memory, by number. */
class Lines {
    private readonly file: number;
    private readonly ends: number[] = [0];

    constructor(path: string) {
        this.file = openSync(path, "r");
        const size = statSync(path).size, block = Buffer.alloc(1 << 20), lineFeed = 10;
        for (let at = 0; at < size; ) {
            const got = readSync(this.file, block, 0, block.length, at);
            for (let i = block.indexOf(lineFeed); i >= 0 && i < got; i = block.indexOf(lineFeed, i + 1)) this.ends.push(at + i + 1);
            at += got;
        }
    }
    get count(): number {
        return this.ends.length - 1;
    }
    at(index: number): string {
        const line = Buffer.alloc(this.ends[index + 1] - this.ends[index]);
        readSync(this.file, line, 0, line.length, this.ends[index]);
        return line.toString("utf8");
    }
    close(): void {
        closeSync(this.file);
    }
}

describe.skipIf(!folder)("the state that the page shows", () => {
    for (const name of folder ? readdirSync(folder).filter((file) => file.endsWith(".json")) : [])
        it(`is the engine's at each step of ${name}`, () => {
            const trace = parseBook(readFileSync(join(folder as string, name), "utf8")).traces[0];
            const lines = new Lines(join(folder as string, name.replace(/json$/, "states")));
            expect(lines.count).toBe(trace.window.count + 1);
            const forward = new Seeker(trace), backward = new Seeker(trace);
            const compare = (seeker: Seeker, step: number, way: string): void => {
                const engine = JSON.parse(lines.at(step)) as { steps: number; state: unknown };
                expect(engine.steps).toBe(step);
                const shown = seeker.at(step);
                if (!isDeepStrictEqual(shown, engine.state)) expect(shown, `${way} ${step} steps`).toEqual(engine.state);
            };
            for (let step = 0; step < lines.count; ++step) compare(forward, step, "after");
            for (let step = lines.count - 1; step >= 0; --step) compare(backward, step, "back at");
            lines.close();
        }, tenMinutes);
});
