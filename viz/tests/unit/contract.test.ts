import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Seeker } from "../../src/core/seek";
import { parseBook } from "../../src/core/trace";

// FIXTURES: a folder with NAME.json (export --to json) and NAME.states (export --to states) each.
const folder = process.env.FIXTURES;

describe.skipIf(!folder)("the state that the page shows", () => {
    for (const name of folder ? readdirSync(folder).filter((file) => file.endsWith(".json")) : [])
        it(`is the engine's at each step of ${name}`, () => {
            const trace = parseBook(readFileSync(join(folder as string, name), "utf8")).traces[0];
            const lines = readFileSync(join(folder as string, name.replace(/json$/, "states")), "utf8").trim().split("\n");
            expect(lines).toHaveLength(trace.window.count + 1);
            const forward = new Seeker(trace), backward = new Seeker(trace);
            const engine = lines.map((line) => JSON.parse(line) as { steps: number; state: unknown });
            engine.forEach(({ steps, state }) => expect(forward.at(steps), `after ${steps} steps`).toEqual(state));
            engine.reverse().forEach(({ steps, state }) => expect(backward.at(steps), `back at ${steps}`).toEqual(state));
        });
});
