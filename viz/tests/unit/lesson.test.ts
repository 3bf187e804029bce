import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { fromFragment, plainView, toFragment } from "../../src/core/link";
import { pieces, plain, termsOf } from "../../src/core/lesson";
import type { Book } from "../../src/core/trace";
import { glossary } from "../../src/glossary";
import * as store from "../../src/store";
import { sample } from "./sample";

describe("a lesson's text", () => {
    it("marks terms and code, and everything else is text", () => {
        expect(pieces("It is [copied|copy on write] by `sync`, not [here")).toEqual([
            { kind: "text", text: "It is ", term: "" },
            { kind: "term", text: "copied", term: "copy on write" },
            { kind: "text", text: " by ", term: "" },
            { kind: "code", text: "sync", term: "" },
            { kind: "text", text: ", not [here", term: "" },
        ]);
        expect(pieces("")).toEqual([]);
        expect(plain("A [commit] of `x`")).toBe("A commit of x");
        expect(termsOf("[a] [b|a] [c]")).toEqual(["a", "c"]);
    });
    it("has an entry of the glossary for each term of the lessons", () => {
        const folder = join(__dirname, "..", "..", "..", "lessons");
        const files = readdirSync(folder).filter((name) => name.endsWith(".json") && !["schema.json", "glossary.json"].includes(name));
        expect(files.length).toBe(6);
        for (const name of files)
            for (const [, prose] of readFileSync(join(folder, name), "utf8").matchAll(/"((?:[^"\\]|\\.){20,})"/g))
                for (const term of termsOf(prose)) expect(glossary[term], `${name}: ${term}`).toBeTypeOf("string");
    });
});

describe("walking through a lesson", () => {
    const other = { ...sample(), window: { first: 1, count: 7 } };
    const book: Book = {
        format: "interleaf-book", version: 1, traces: [sample(), other],
        lesson: {
            name: "l", title: "L", about: "about",
            stops: [
                { step: 0, title: "begin", text: "nothing", panels: [] },
                { step: 1, title: "choose", text: "a [commit]", panels: ["refs"], choose: true },
                { step: 8, title: "end", text: "done" },
            ],
            branches: [{ step: 1, candidate: 0, trace: 1 }],
        },
    };
    beforeEach(() => store.open(book, ""));

    it("begins at the first stop with nothing open", () => {
        expect([store.stop.value, store.cursor.value, store.panels.value]).toEqual([0, 0, []]);
    });
    it("goes from stop to stop, and no further", () => {
        store.goToStop(1);
        expect([store.stop.value, store.cursor.value, store.panels.value]).toEqual([1, 1, ["refs"]]);
        expect(store.announcement.value).toBe("stop 2 of 3: choose. a commit");
        store.goToStop(3);
        store.goToStop(-1);
        expect(store.stop.value).toBe(1);
    });
    it("takes the execution that was recorded for a choice, and comes back", () => {
        store.goToStop(1);
        expect(store.branchAt(1, 1)).toBeNull();
        const branch = store.branchAt(1, 0);
        expect(branch).toEqual({ step: 1, candidate: 0, trace: 1 });
        if (branch) store.takeBranch(branch);
        expect([store.current.value, store.cursor.value, store.stop.value]).toEqual([1, 2, 1]);
        expect(store.branchAt(1, 0)).toBeNull();
        store.goToStop(1);
        expect([store.current.value, store.cursor.value]).toEqual([0, 1]);
    });
    it("has an address for each stop", () => {
        store.goToStop(1);
        expect(store.link()).toContain("stop=1");
        store.open(book, store.link());
        expect([store.stop.value, store.cursor.value, store.panels.value]).toEqual([1, 1, ["refs"]]);
        store.open(book, "#step=5&stop=2");
        expect([store.stop.value, store.cursor.value]).toEqual([2, 5]);
        store.open(book, "#step=5&stop=77");
        expect(store.stop.value).toBe(2);
        store.open({ ...book, lesson: undefined }, "#step=5&stop=1");
        expect(store.stop.value).toBe(-1);
        expect(fromFragment(toFragment({ ...plainView, stop: 3 }), plainView).stop).toBe(3);
        expect(fromFragment("#stop=x", plainView).stop).toBe(-1);
    });
});
