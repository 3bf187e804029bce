/** The trace document of docs/trace.schema.json, as far as the page reads it. */

export type Value = string | number | boolean | Value[] | { [name: string]: Value };
export type Row = { readonly [field: string]: Value };
export type Table = { readonly [key: string]: Row };
export type State = { readonly [table: string]: Table };
export type Patch = { readonly [name: string]: Patch | Value | null };

export interface ObjectName {
    name: string;
    kind: string;
    key: number | string;
}

export interface Invariant {
    name: string;
    sentence: string;
    class: string;
    where: string;
    evaluated: number;
    violated: boolean;
}

export interface Flip {
    first: { step: number | null; text: string; task: string };
    second: { step: number | null; text: string; task: string };
    passing: string | null;
}

export interface Why {
    critical?: {
        step: number;
        text: string;
        exact: boolean;
        before: { passing: number; failing: number };
        after: { passing: number; failing: number };
    } | null;
    flips?: { needed_order: number[]; found: Flip[] } | null;
}

export interface Intervals {
    object: number[];
    task: number[];
    first: number[];
    last: number[];
    shared: number[];
    where: number[];
}

export interface Trace {
    format: string;
    version: number;
    program: string;
    revision: number;
    scenario: {
        id: string;
        title: string;
        description: string;
        label: string;
        prepare: string[];
        tasks: { name: string; cpu: number; run: string[] }[];
    };
    kernel: string;
    token: string;
    command: string;
    verdict: string;
    violation: { signature: string; text: string; step: number } | null;
    counts: { steps: number; switches: number; deviations: number };
    window: { first: number; count: number };
    messages: string[];
    ladder: string;
    why: Why;
    operations: string[];
    tasks: { name: string[]; parent: number[]; kind: number[]; cpu: number[]; born: number[] };
    steps: { task: number[]; op: number[]; object: number[]; woken: number[]; effect: number[] };
    accesses: { count: number[]; object: number[]; kind: number[]; key: (number | string)[] };
    scopes: { task: number[]; text: number[]; depth: number[]; first: number[]; last: number[] };
    notes: { step: number[]; task: number[]; kind: string[]; text: number[] };
    holds: Intervals;
    waits: Intervals;
    choices: {
        step: number[];
        taken: number[];
        count: number[];
        task: number[];
        op: number[];
        object: number[];
        outcome: number[];
    };
    state: { interval: number; keyframes: State[]; deltas: Patch[] };
    invariants: Invariant[];
    objects: ObjectName[];
    strings: string[];
}

/** What a page carries: executions, and what surrounds them. */
export interface Book {
    format: "interleaf-book";
    version: number;
    traces: Trace[];
    /** Two executions that were asked for to be compared. */
    compare?: boolean;
    lesson?: Lesson;
    notes?: Note[];
}

export interface Stop {
    /** Steps done when the reader stands here. */
    step: number;
    title: string;
    text: string;
    /** Open here, and no others. */
    panels?: string[];
    question?: { text: string; answer: string };
    /** The reader may let another task come next: what that leads to is among the branches. */
    choose?: boolean;
}

/** An execution that took another candidate at a choice of the lesson's own. */
export interface Branch {
    step: number;
    candidate: number;
    trace: number;
}

export interface Lesson {
    name: string;
    title: string;
    about: string;
    stops: Stop[];
    branches: Branch[];
}

export interface Note {
    trace: number;
    step: number;
    text: string;
}

/** Why a document cannot be shown; the message says what to do. */
export class UnreadableTrace extends Error {}

export const newestTrace = 1;
export const newestBook = 1;

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members without which nothing can be drawn; a file that was cut lacks some. */
const needed = [
    "window", "steps", "accesses", "tasks", "scopes", "notes", "holds", "waits", "choices",
    "state", "objects", "strings", "operations", "invariants",
] as const;

function checkTrace(value: unknown): Trace {
    if (!isObject(value) || value.format !== "interleaf-trace")
        throw new UnreadableTrace("This file holds no execution of interleaf.");
    if (typeof value.version !== "number" || value.version > newestTrace)
        throw new UnreadableTrace(
            `This execution was written by a newer interleaf (format ${String(value.version)}, ` +
            `this page reads up to ${newestTrace}). Export it again, or use the newer page.`);
    const missing = needed.filter((name) => !(name in value));
    if (missing.length > 0)
        throw new UnreadableTrace(`This execution is not whole: it lacks ${missing.join(", ")}.`);
    const trace = value as unknown as Trace;
    if (trace.state.deltas.length !== trace.window.count ||
        trace.steps.task.length !== trace.window.count)
        throw new UnreadableTrace("This execution is not whole: it has fewer steps than it says.");
    return trace;
}

/** Reads what an exporter or Save wrote: one execution, or a book of several. */
export function parseBook(text: string): Book {
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        throw new UnreadableTrace("This file is cut or damaged: it is no complete JSON.");
    }
    if (isObject(value) && value.format === "interleaf-book") {
        if (typeof value.version !== "number" || value.version > newestBook)
            throw new UnreadableTrace("This file was written by a newer interleaf.");
        if (!Array.isArray(value.traces))
            throw new UnreadableTrace("This file is not whole: it lacks its executions.");
        const book = value as unknown as Book;
        return { ...book, traces: value.traces.map(checkTrace) };
    }
    return { format: "interleaf-book", version: newestBook, traces: [checkTrace(value)] };
}
