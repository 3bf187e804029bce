import { describe, expect, it } from "vitest";
import { align, beside, rising } from "../../src/core/align";
import { forest, Places } from "../../src/core/forest";
import { axisPositions, layoutLanes } from "../../src/core/lanes";
import { fromFragment, plainView, toFragment } from "../../src/core/link";
import { parseQuery, relations, search } from "../../src/core/search";
import { changes, Seeker } from "../../src/core/seek";
import { neighbour, Story } from "../../src/core/story";
import { parseBook, UnreadableTrace, type State } from "../../src/core/trace";
import { merged, sample } from "./sample";

describe("seeking", () => {
    it("gives what replaying from the start gives, in any order", () => {
        const trace = sample();
        const states: State[] = [trace.state.keyframes[0]];
        for (const delta of trace.state.deltas) states.push(merged(states[states.length - 1], delta) as State);
        const seeker = new Seeker(trace);
        for (const step of [0, 8, 3, 4, 5, 2, 7, 6, 1, 8, 0]) expect(seeker.at(step)).toEqual(states[step]);
        expect(seeker.at(99)).toEqual(states[8]);
        expect(seeker.at(-1)).toEqual(states[0]);
    });
    it("does not touch whole states", () => {
        const trace = sample(), before = JSON.stringify(trace.state);
        const seeker = new Seeker(trace);
        for (let step = 0; step <= 8; ++step) seeker.at(step);
        expect(JSON.stringify(trace.state)).toBe(before);
    });
    it("names what came, changed and went", () => {
        const seeker = new Seeker(sample());
        const kinds = changes(seeker.at(2), seeker.at(3)).map((c) => `${c.kind} ${c.table} ${c.key}`);
        expect(kinds).toContain("new heads 3/4096");
        expect(kinds).toContain("changed fs fs");
        expect(changes(seeker.at(5), seeker.at(6)).find((c) => c.key === "3/4096")?.kind).toBe("gone");
        expect(changes(seeker.at(4), seeker.at(4))).toEqual([]);
    });
});

describe("story", () => {
    it("says what a step was", () => {
        const story = new Story(sample());
        expect(story.sentence(2)).toBe("step 2, writer: write tree_log_mutex; creates ordered extent");
        expect(story.sentence(8)).toBe("the end");
        expect(story.stack(0, 4).map((s) => s.text)).toEqual(["btrfs_sync_log"]);
    });
    it("knows what else could have come, and what came of it", () => {
        const story = new Story(sample());
        expect(story.alternatives(1).map((a) => [a.text, a.taken, a.outcome]))
            .toEqual([["lock tree_log_mutex", false, "fails"], ["write tree_log_mutex", true, "passes"]]);
        expect(story.alternatives(2)).toEqual([]);
    });
    it("finds the step that another follows from", () => {
        const story = new Story(sample());
        expect(story.cause(3)).toEqual({ step: 2, how: "which writes tree_log_mutex" });
        expect(story.cause(0)).toBeNull();
    });
    it("finds neighbours in sorted lists", () => {
        expect(neighbour([2, 4, 6], 4, 1)).toBe(6);
        expect(neighbour([2, 4, 6], 4, -1)).toBe(2);
        expect(neighbour([2, 4, 6], 6, 1)).toBeNull();
        expect(neighbour([], 6, -1)).toBeNull();
    });
});

describe("search", () => {
    const story = new Story(sample());
    const seeker = new Seeker(story.trace);
    const find = (text: string, from = -1): number[] => search(story, text, (step) => seeker.at(step + 1), from);
    it("takes words, terms and conditions apart", () => {
        expect(parseQuery('task:flusher obj:"a b" transactions.writers>1 word')).toEqual({
            words: ["word"], terms: [{ field: "task", text: "flusher" }, { field: "obj", text: "a b" }],
            conditions: [{ table: "transactions", field: "writers", sign: ">", value: "1" }], relation: null,
        });
    });
    it("finds by task, words, function and state", () => {
        expect(find("task:flusher")).toEqual([1, 3, 5, 7]);
        expect(find("ordered extent")).toEqual([2]);
        expect(find("fn:sync_log task:writer")).toEqual([0, 2, 4, 6]);
        expect(find("fs.generation>6")).toEqual([6, 7]);
        expect(find("fs.generation=3")).toEqual([2]);
        expect(find("")).toEqual([]);
        expect(find("nothing like this")).toEqual([]);
    });
    it("knows before, after and concurrent", () => {
        const relation = relations(story, 4);
        expect(relation(0)).toBe("before");
        expect(relation(6)).toBe("after");
        const apart = sample({ order: [0, 1] });
        apart.accesses.object = [1, 0]; // they touch nothing in common
        expect(relations(new Story(apart), 0)(1)).toBe("concurrent");
        expect(find("is:after", 6)).toEqual([7]);
    });
});

describe("alignment", () => {
    it("leaves no step alone in an execution beside itself", () => {
        const story = new Story(sample());
        const found = align(story, story);
        expect([...found.ofA]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(found.common).toBe(8);
        expect(found.stateA).toBe(-1);
    });
    it("is the same from either side", () => {
        const a = new Story(sample()), b = new Story(sample({ order: [0, 0, 1, 1, 0, 1, 1] }));
        const ab = align(a, b), ba = align(b, a);
        expect([...ab.ofA]).toEqual([...ba.ofB]);
        expect([...ab.ofB]).toEqual([...ba.ofA]);
        ab.ofA.forEach((k, i) => k >= 0 && expect(ab.ofB[k]).toBe(i));
    });
    it("marks the first partners that did something else", () => {
        const a = new Story(sample()), b = new Story(sample({ effects: [0, 1, 2, 9, 4, 5, 6, 7] }));
        expect(align(a, b)).toMatchObject({ common: 8, stateA: 3, stateB: 3 });
    });
    it("keeps order within a task", () => {
        expect(rising([[0, 3], [1, 1], [2, 2], [3, 0]])).toEqual([[1, 1], [2, 2]]);
        expect(rising([])).toEqual([]);
    });
    it("stands beside the last step that has a partner", () => {
        expect(beside(Int32Array.from([0, -1, 5]), 1)).toBe(1);
        expect(beside(Int32Array.from([0, -1, 5]), 2)).toBe(5);
        expect(beside(Int32Array.from([-1]), 0)).toBe(0);
    });
});

describe("trees", () => {
    const block = (level: number, children: number[] = []): object =>
        ({ level, generation: 1, owner: "FS_TREE", slots: [], flags: ["dirty"], lock: "", ...(children.length > 0 ? { children } : {}) });
    const before = {
        roots: { FS_TREE: { node: 10, commit_root: 10 } }, blocks: { 10: block(1, [20, 30]), 20: block(0), 30: block(0) }, extents: { 20: { refs: 2 } },
    } as unknown as State;
    const after = {
        roots: { FS_TREE: { node: 11, commit_root: 10 }, 256: { node: 11, commit_root: 11 } },
        blocks: { 10: block(1, [20, 30]), 20: block(0), 30: block(0), 11: block(1, [21, 30]), 21: block(0) }, extents: {},
    } as unknown as State;
    it("tells copies from what they were made of", () => {
        const tree = forest(after)[1];
        const fates = Object.fromEntries(tree.blocks.map((b) => [b.bytenr, b.fate]));
        expect(fates).toEqual({ 10: "freed", 11: "new", 20: "freed", 21: "new", 30: "kept" });
        expect(tree.blocks.find((b) => b.bytenr === "11")?.shared).toBe(true);
        expect(forest(before)[0].blocks.find((b) => b.bytenr === "20")?.refs).toBe(2);
    });
    it("moves no block that stays, and puts a copy where its original is", () => {
        const places = new Places();
        const first = places.assign("FS_TREE", forest(before)[0].blocks);
        const second = places.assign("FS_TREE", forest(after)[1].blocks);
        for (const bytenr of ["10", "20", "30"]) expect(second.get(bytenr)).toBe(first.get(bytenr));
        expect(second.get("11")).toBe(first.get("10"));
        expect(second.get("21")).toBe(first.get("20"));
    });
});

describe("lanes", () => {
    it("draws who ran, what was held and waited for, and what lived", () => {
        const lanes = layoutLanes(new Story(sample()));
        expect(lanes.map((lane) => `${lane.group}: ${lane.name}`)).toEqual(expect.arrayContaining([
            "CPUs: CPU 1", "Tasks: writer", "Locks: tree_log_mutex", "Objects: ref head 3/4096", "Counters: queued ref heads"]));
        const lock = lanes.find((lane) => lane.group === "Locks");
        expect(lock?.boxes.map((box) => [box.style, box.first, box.end])).toEqual([["hold", 0, 4], ["wait", 1, 4]]);
        const head = lanes.find((lane) => lane.name === "ref head 3/4096");
        expect(head?.boxes.map((box) => [box.first, box.end])).toEqual([[2, 6]]);
        expect(lanes.find((lane) => lane.name === "queued ref heads")?.values).toEqual([0, 1, 1, 2, 2, 2, 1, 1, 1]);
    });
    it("has a column for each step, or for each stretch of a task", () => {
        const story = new Story(sample({ order: [0, 0, 1, 0] }));
        expect([...axisPositions(story, "step")]).toEqual([0, 1, 2, 3, 4]);
        expect([...axisPositions(story, "switch")]).toEqual([0, 0.5, 1, 2, 3]);
    });
});

describe("links", () => {
    it("come back as they were made", () => {
        const view = { ...plainView, step: 42, axis: "switch" as const, task: "a b&c", object: "head #1", panels: ["trees", "refs"], compare: true, token: "il1:x", trace: 1 };
        expect(fromFragment(toFragment(view), plainView)).toEqual(view);
    });
    it("keep the view where they are wrong", () => {
        expect(fromFragment("#step=-4&axis=<b>&trace=1e9", { ...plainView, step: 7 })).toMatchObject({ step: 7, axis: "step", trace: 0 });
    });
});

describe("files", () => {
    it("are refused with one sentence when they cannot be shown", () => {
        const whole = JSON.stringify(sample());
        expect(parseBook(whole).traces).toHaveLength(1);
        const cases: [string, RegExp][] = [
            [whole.slice(0, 400), /cut or damaged/], ["[]", /no execution of interleaf/], ["", /cut or damaged/],
            [JSON.stringify({ ...sample(), version: 99 }), /newer interleaf/],
            [JSON.stringify({ format: "interleaf-trace", version: 1 }), /it lacks window/],
            [JSON.stringify({ ...sample(), window: { first: 0, count: 99 } }), /fewer steps than it says/],
            [JSON.stringify({ format: "interleaf-book", version: 2, traces: [] }), /newer interleaf/],
        ];
        for (const [text, message] of cases) {
            expect(() => parseBook(text)).toThrow(UnreadableTrace);
            expect(() => parseBook(text)).toThrow(message);
        }
    });
});
